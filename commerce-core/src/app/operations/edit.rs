//! Editing a confirmed order: put together, shown, agreed to, made in one commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::catalog::Product;
use crate::checkout::fulfil::complete;
use crate::checkout::machine::Status as SagaStatus;
use crate::checkout::party::Party;
use crate::checkout::repack::{Unpacked, pack, reservation_of_edit, shipment_of_edit, unpack};
use crate::checkout::reprice::{RepriceInput, reprice};
use crate::checkout::{CheckoutError, stock};
use crate::identity::authorise;
use crate::inventory::{Reservation, ReservationCommand, ReservedLine};
use crate::kernel::aggregate::{Aggregate, Instance, Permission, stream_of};
use crate::kernel::batch::Batch;
use crate::kernel::codec::decode;
use crate::kernel::commit::Load;
use crate::kernel::error::CommitError;
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::Version;
use crate::orders::edit::Proposal;
use crate::orders::{
    Order, OrderCommand, OrderEdit, OrderEditCommand, OrderEditError, OrderError, OrderLine, OrderStatus,
    Revision,
};
use crate::port::store::MAX_PAGE;
use crate::promotions::Promotion;
use crate::settings::SettingsValues;
use crate::shipping::{Shipment, ShipmentCommand, Status as ShipmentStatus};
use crate::value::id::{CheckoutId, OrderEditId, OrderId, ProductId, PromotionId, ShipmentId};
use crate::value::{Money, PriceBook, PromotionRule, Quantity, Reason, TraceStep};

impl Commerce {
    /// Begins to edit a confirmed order.
    ///
    /// What is to change is said by commands on the edit alone: `SetQuantity`, `AddLine`; then comes
    /// [`preview_edit`](Self::preview_edit), the command `Request`, and
    /// [`confirm_edit`](Self::confirm_edit), or the command `Decline`. Nothing touches the order before.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused for orders that are not confirmed or came from no
    /// checkout.
    pub async fn open_edit(&self, order: OrderId) -> Result<OrderEditId, OperationError> {
        let deed = self.deed((Permission::new(Order::NAME, "open-edit"), order.uuid()), &order);
        let named =
            self.request.command_id.map(|id| OrderEditId::derived(order.uuid(), id.uuid().as_bytes()));
        let id = named.unwrap_or_else(|| self.new_id());
        retried!(self, deed, shop => shop.try_open_edit(id, order, &deed))?;
        Ok(id)
    }

    async fn try_open_edit(
        &self,
        id: OrderEditId,
        order: OrderId,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let cache = &self.shared.cache;
        let (order, edit) = (cache.take::<Order>(order), cache.take::<OrderEdit>(id));
        let mut ask = Ask::default();
        ask.stream(&order);
        ask.stream(&edit);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let (order, mut edit) = (answer.fold(order)?, answer.fold(edit)?);
        let owner = order.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, Permission::new(OrderEdit::NAME, "open"), owner)?;
        if deed.is_done(&answer)? {
            return Ok(());
        }
        let known = order.state.as_ref().ok_or(OrderError::NotFound)?;
        if known.status() != OrderStatus::Confirmed {
            return Err(OrderError::NotConfirmed(known.status()).into());
        }
        if known.content().checkout.is_none() {
            return Err(OrderEditError::NotFromCheckout.into());
        }
        let (subject, revision) = (known.content().subject, known.revised().number);
        let mut batch = self.batch();
        told(&mut batch, &mut edit, OrderEditCommand::Open { order: order.id, subject, revision })?;
        batch.expect(&order);
        self.apply(batch, deed).await
    }

    /// Computes and keeps what an edit would make of its order: lines, prices, and what the buyer would
    /// owe. Without any effect on the order.
    ///
    /// Unit prices, taxes, shipping and promotions are those stored with the order, promotions in the
    /// version of that time; what is added costs what it costs today.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn preview_edit(&self, edit: OrderEditId) -> Result<Proposal, OperationError> {
        let deed = self.deed((Permission::new(OrderEdit::NAME, "preview-edit"), edit.uuid()), &edit);
        retried!(self, deed, shop => shop.try_preview_edit(edit, &deed))
    }

    async fn try_preview_edit(&self, id: OrderEditId, deed: &Deed) -> Result<Proposal, OperationError> {
        let (mut edit, done) = self.edit(id, "preview", deed).await?;
        let known = edit.state.as_ref().ok_or(OrderEditError::NotFound)?;
        if let (true, Some(proposal)) = (done, known.proposal()) {
            return Ok(proposal.clone());
        }
        let order = self.fetch::<Order>(known.order()).await?;
        let state = order.state.as_ref().ok_or(OrderError::NotFound)?;
        if state.revised().number != known.revision() {
            return Err(OrderError::Outdated { revision: state.revised().number }.into());
        }
        let proposal = self.propose(known, state).await?;
        let mut batch = self.batch();
        let preview = OrderEditCommand::Preview { proposal: Box::new(proposal.clone()) };
        told(&mut batch, &mut edit, preview)?;
        batch.expect(&order);
        self.apply(batch, deed).await?;
        Ok(proposal)
    }

    /// Makes what was previewed: the order, its stock, its parcels and the edit change in one commit, or
    /// nothing does. Gives the balance behind it.
    ///
    /// For the buyer, or staff in their name. No money moves here: a balance above zero is to be paid, one
    /// below zero to be given back with [`refund`](Self::refund).
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused where too little stock is left for what is added,
    /// where the order has changed since the preview, and while its checkout has not ended.
    pub async fn confirm_edit(&self, edit: OrderEditId) -> Result<Money, OperationError> {
        let deed = self.deed((Permission::new(OrderEdit::NAME, "confirm-edit"), edit.uuid()), &edit);
        retried!(self, deed, shop => shop.try_confirm_edit(edit, &deed))
    }

    async fn try_confirm_edit(&self, id: OrderEditId, deed: &Deed) -> Result<Money, OperationError> {
        let (mut edit, done) = self.edit(id, "confirm", deed).await?;
        let known = edit.state.clone().ok_or(OrderEditError::NotFound)?;
        let mut batch = self.batch();
        let confirmed = told(&mut batch, &mut edit, OrderEditCommand::Confirm)?;
        if done || confirmed.is_empty() {
            let order = self.fetch::<Order>(known.order()).await?;
            let order = order.state.as_ref().ok_or(OrderError::NotFound)?;
            return Ok(order.balance().map_err(OrderEditError::from)?);
        }
        let proposal = known.proposal().ok_or(OrderEditError::NotFound)?;
        let order = self.fetch::<Order>(known.order()).await?;
        let checkout = order.state.as_ref().and_then(|order| order.content().checkout);
        let mut party = self.ended(checkout.ok_or(OrderEditError::NotFromCheckout)?).await?;
        let before = party.order.state.clone().ok_or(OrderError::NotFound)?;
        let mut revision = Revision {
            edit: id,
            number: known.revision().saturating_add(1),
            targets: proposal.targets.clone(),
            added: proposal.added.clone(),
            book: proposal.book.clone(),
            reservation: None,
            parcels: Vec::new(),
        };
        let (cuts, wanted) = changes(&before, proposal);
        self.take_out(&mut batch, &mut party, &cuts).await?;
        self.put_in(&mut batch, &party, &wanted, &mut revision).await?;
        told(&mut batch, &mut party.order, OrderCommand::Edit { revision: Box::new(revision) })?;
        complete(&mut batch, &mut party.order)?;
        self.apply(batch, deed).await?;
        let order = party.order.state.as_ref().ok_or(OrderError::NotFound)?;
        Ok(order.balance().map_err(OrderEditError::from)?)
    }

    /// The edit, once the actor may do this with it, and whether the deed was done before.
    async fn edit(
        &self,
        id: OrderEditId,
        action: &'static str,
        deed: &Deed,
    ) -> Result<(Instance<OrderEdit>, bool), OperationError> {
        let known = self.shared.cache.take::<OrderEdit>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let edit = answer.fold(known)?;
        let owner = edit.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, Permission::new(OrderEdit::NAME, action), owner)?;
        let done = deed.is_done(&answer)?;
        Ok((edit, done))
    }

    /// The party of a checkout that has ended well, after it was helped on as far as it can go.
    async fn ended(&self, checkout: CheckoutId) -> Result<Box<Party>, OperationError> {
        let ended = |party: &Party| {
            party.saga.state.as_ref().is_some_and(|saga| saga.status() == SagaStatus::Completed)
        };
        let mut party = self.party(checkout).await?;
        if !ended(&party) {
            party = self.resume(checkout).await?;
        }
        if ended(&party) { Ok(party) } else { Err(OperationError::PaymentInProgress) }
    }

    async fn propose(&self, edit: &OrderEdit, order: &Order) -> Result<Proposal, OperationError> {
        let checkout = order.content().checkout.ok_or(OrderEditError::NotFromCheckout)?;
        let party = self.party(checkout).await?;
        let uses = party.redemptions.iter().filter_map(|used| used.state.as_ref());
        let granted: BTreeMap<PromotionId, Money> = uses
            .filter(|used| used.grant().budgeted)
            .map(|used| (used.grant().promotion, used.grant().amount))
            .collect();
        let products = self.products_of(edit, order).await?;
        let rules = self.stored_rules(&order.content().book).await?;
        let taxes = &party.settings.taxes;
        let input = RepriceInput { order, edit, products: &products, rules, granted: &granted, taxes };
        Ok(reprice(&input)?)
    }

    async fn products_of(
        &self,
        edit: &OrderEdit,
        order: &Order,
    ) -> Result<HashMap<ProductId, Arc<Instance<Product>>>, OperationError> {
        let of_lines = order.content().lines.iter().map(|line| line.product);
        let mut ids: Vec<ProductId> =
            of_lines.chain(edit.additions().iter().map(|new| new.product)).collect();
        ids.sort_unstable();
        ids.dedup();
        let known: Vec<_> = ids.into_iter().map(|id| self.shared.cache.peek::<Product>(id)).collect();
        let mut ask = Ask::default();
        for product in &known {
            ask.stream(product);
        }
        let answer = self.ask(ask).await?;
        let products = known.into_iter().map(|product| {
            let product = answer.fold_shared(product)?;
            Ok((product.id, product))
        });
        Ok(products.collect::<Result<_, ReplayError>>()?)
    }

    /// The promotions that were looked at when the order was priced, as they were then.
    async fn stored_rules(&self, book: &PriceBook) -> Result<Vec<PromotionRule>, OperationError> {
        let mut rules = Vec::new();
        for step in &book.trace {
            if let TraceStep::Promotion { promotion, version, .. } = step {
                rules.extend(self.rule_at(*promotion, *version).await?);
            }
        }
        Ok(rules)
    }

    /// A promotion's rule in an old version, from its events.
    async fn rule_at(&self, id: PromotionId, version: u64) -> Result<Option<PromotionRule>, OperationError> {
        let (stream, mut after, mut state) = (stream_of::<Promotion>(id), Version::NONE, None);
        loop {
            let page = self.store().read_stream(&stream, after, MAX_PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = last.version;
            for recorded in &page {
                let event = decode(&recorded.event).map_err(ReplayError::from)?;
                let folded = Promotion::evolve(state.take(), &event).map_err(ReplayError::from)?;
                if folded.rule().version == version {
                    return Ok(Some(folded.rule().clone()));
                }
                state = Some(folded);
            }
        }
    }

    /// Units that are not wanted any more leave their parcels and are free again.
    async fn take_out(
        &self,
        batch: &mut Batch<'_>,
        party: &mut Party,
        cuts: &BTreeMap<crate::value::id::OrderLineId, u32>,
    ) -> Result<(), OperationError> {
        if cuts.is_empty() {
            return Ok(());
        }
        let mut parcels = self.parcels(party).await?;
        let mut more = self.more_reservations(party).await?;
        let reason = reason("the order was edited")?;
        for Unpacked { parcel, left, freed } in unpack(cuts, &parcels) {
            let Some(parcel) = parcels.get_mut(parcel) else { continue };
            let Some(state) = parcel.state.as_ref() else { continue };
            let (promise, sent) = (state.reservation(), state.status() != ShipmentStatus::Cancelled);
            let mut known = std::iter::once(&mut party.reservation).chain(&mut more);
            if let Some(reservation) = known.find(|known| known.id == promise) {
                for (line, quantity) in freed {
                    let part = ReservationCommand::ReleasePart { line, quantity, reason: reason.clone() };
                    told(batch, reservation, part)?;
                }
            }
            if sent && left.is_empty() {
                told(batch, parcel, ShipmentCommand::Cancel { reason: reason.clone() })?;
            } else if sent {
                told(batch, parcel, ShipmentCommand::Repack { lines: left })?;
            }
        }
        Ok(())
    }

    /// Units that are wanted in addition are promised, and packed in parcels of their own.
    async fn put_in(
        &self,
        batch: &mut Batch<'_>,
        party: &Party,
        wanted: &[OrderLine],
        revision: &mut Revision,
    ) -> Result<(), OperationError> {
        let settings = party.settings.clone();
        let promised = self.plan_more(wanted, &settings).await?;
        let mut reservation = Instance::<Reservation>::absent(reservation_of_edit(revision.edit));
        if !promised.is_empty() {
            let (now, lines) = (batch.now(), promised.clone());
            let (checkout, end) = (party.saga.id, now.plus(settings.hold()));
            let hold = ReservationCommand::Hold { checkout, lines, expires_at: end, extendable_until: end };
            told(batch, &mut reservation, hold)?;
            told(batch, &mut reservation, ReservationCommand::Commit)?;
            revision.reservation = Some(reservation.id);
        }
        let address = party.order.state.as_ref().and_then(|order| order.content().shipping_address.clone());
        for (location, lines) in pack(wanted, &promised, settings.locations.first().copied()) {
            let address = address.clone().ok_or(CheckoutError::NoAddress)?;
            let id: ShipmentId = shipment_of_edit(revision.edit, location);
            let (order, reservation) = (party.order.id, reservation.id);
            let create = ShipmentCommand::Create { order, lines, reservation, location, address };
            told(batch, &mut Instance::<Shipment>::absent(id), create)?;
            revision.parcels.push(id);
        }
        Ok(())
    }

    /// From where the additional units come; the store is the judge once more when it is committed.
    async fn plan_more(
        &self,
        wanted: &[OrderLine],
        settings: &SettingsValues,
    ) -> Result<Vec<ReservedLine>, OperationError> {
        let pools = stock::pools(wanted, &settings.locations);
        if pools.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = self.store().load(Load { pools: pools.clone(), ..Load::default() }).await?;
        let levels: HashMap<_, _> = pools.into_iter().zip(loaded.pools).collect();
        let short = |short| OperationError::Commit(CommitError::Short(short));
        stock::from_many(wanted, &settings.locations, &levels).map_err(short)
    }
}

/// What a proposal takes away from lines, and what it wants in addition.
fn changes(
    order: &Order,
    proposal: &Proposal,
) -> (BTreeMap<crate::value::id::OrderLineId, u32>, Vec<OrderLine>) {
    let (mut cuts, mut wanted) = (BTreeMap::new(), Vec::new());
    for target in &proposal.targets {
        let Some((line, ledger)) = order.lines().find(|(line, _)| line.id == target.line) else { continue };
        let cut = ledger.wanted().saturating_sub(target.wanted);
        if cut > 0 {
            cuts.insert(line.id, cut);
        }
        if let Ok(quantity) = Quantity::new(target.wanted.saturating_sub(ledger.wanted())) {
            wanted.push(OrderLine { quantity, ..line.clone() });
        }
    }
    wanted.extend(proposal.added.iter().cloned());
    (cuts, wanted)
}

fn reason(text: &str) -> Result<Reason, OperationError> {
    let text = Reason::new(text).map_err(|_| crate::checkout::error::InternalRefusal::Text);
    Ok(text.map_err(CheckoutError::from)?)
}

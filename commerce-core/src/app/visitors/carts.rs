//! The carts of a visitor, one after the other.

use super::VISITORS;
use crate::app::commerce::Commerce;
use crate::app::error::CommandError;
use crate::app::operations::OperationError;
use crate::app::reading::ReadError;
use crate::carts::{Cart, CartCommand, CartError, MergeStrategy};
use crate::value::actor::Owner;
use crate::value::id::{CartId, SubjectId};

/// The cart of a subject that is begun when so many are over.
fn cart_of(subject: SubjectId, over: u32) -> CartId {
    CartId::derived(VISITORS, format!("{subject}:{over}").as_bytes())
}

/// How many carts of a subject are over, `known` at least, and the first that is not.
///
/// A cart that is over stays so, and the next one is begun only behind it: where no session tells how many
/// there are, a search in doubled steps does.
pub(super) async fn present(
    shop: &Commerce,
    subject: SubjectId,
    known: u32,
) -> Result<(u32, CartId), ReadError> {
    let (mut least, mut most, mut step) = (known, known, 1_u32);
    while most < u32::MAX && is_over(shop, cart_of(subject, most)).await? {
        least = most.saturating_add(1);
        most = most.saturating_add(step);
        step = step.saturating_mul(2);
    }
    while least < most {
        let middle = least.midpoint(most);
        if is_over(shop, cart_of(subject, middle)).await? {
            least = middle.saturating_add(1);
        } else {
            most = middle;
        }
    }
    Ok((most, cart_of(subject, most)))
}

async fn is_over(shop: &Commerce, cart: CartId) -> Result<bool, ReadError> {
    Ok(shop.read::<Cart>(cart).await?.state.as_ref().is_some_and(|cart| cart.status().is_terminal()))
}

/// Puts what a guest's cart holds into the cart of the customer, which is begun where there is none.
pub(super) async fn merge(
    shop: &Commerce,
    source: CartId,
    (target, customer): (CartId, SubjectId),
) -> Result<(), OperationError> {
    let guest = shop.read::<Cart>(source).await?;
    let Some(held) = guest.state.as_ref().filter(|cart| !cart.lines().is_empty()) else { return Ok(()) };
    let create = CartCommand::Create { owner: Owner::Subject(customer), currency: held.currency() };
    if shop.read::<Cart>(target).await?.state.is_none() {
        shop.execute(target, create).await.map_err(operation)?;
    }
    shop.merge_carts(source, target, MergeStrategy::default()).await
}

fn operation(error: CommandError<CartError>) -> OperationError {
    match error {
        CommandError::Rejected(refusal) => refusal.into(),
        CommandError::Denied(denied) => denied.into(),
        CommandError::Conflict { attempts } => OperationError::Conflict { attempts },
        CommandError::Commit(error) => OperationError::Commit(error),
        CommandError::Port(error) => error.into(),
        CommandError::Corrupt(error) => error.into(),
    }
}

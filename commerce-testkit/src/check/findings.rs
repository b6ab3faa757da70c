//! What the checker found: one line per rule.

use commerce_core::kernel::error::PortError;
use commerce_core::port::store::Store;

use super::books::Books;
use super::{Breach, Rule};
use crate::fake::gateway::Ledger;
use crate::shop::Shop;

/// What the checker found: one line per rule, and the breaches.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    lines: Vec<(Rule, bool, String)>,
    breaches: Vec<Breach>,
}

impl Findings {
    /// Checks the store and the gateway of a shop in which nothing happens any more.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store cannot be read.
    pub async fn of(shop: &Shop) -> Result<Self, PortError> {
        Self::read(&mut Books::default(), &**shop.commerce.store(), &shop.gateway.ledger()).await
    }

    /// Checks a store and a gateway's books, with books that know what else there is to fold and that may
    /// have read a part of the log.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store cannot be read.
    pub async fn read(books: &mut Books, store: &dyn Store, ledger: &Ledger) -> Result<Self, PortError> {
        let mut findings = Self::default();
        for breach in books.read(store).await? {
            findings.note(breach);
        }
        findings.money(books, ledger);
        findings.stock(books);
        findings.sagas(books);
        findings.coupons(books);
        findings.compare(books, store).await?;
        findings.lines.sort_by_key(|(rule, ..)| *rule);
        Ok(findings)
    }

    async fn compare(&mut self, books: &Books, store: &dyn Store) -> Result<(), PortError> {
        let line = format!("{} events in {} streams without a gap", books.events(), books.streams());
        self.rule(Rule::Events, None, &line);
        let pools = books.pools_differ(store).await?;
        self.rule(Rule::Events, pools, "the pools equal what the events of the log say");
        let keys = books.keys_differ(store).await?;
        let line = format!("{} keys, each of one owner, as the events of the log say", books.keys.len());
        self.rule(Rule::Unique, keys, &line);
        let timers = books.timers_differ(store).await?;
        self.rule(Rule::Events, timers, "the timers equal what the events of the log say");
        let streams = books.streams_differ(store).await?;
        self.rule(Rule::Outbox, streams, "the log shows every event of every stream");
        let (marks, once) = Books::marks(store).await?;
        let twice = (!once).then(|| "a mark stands twice".to_owned());
        self.rule(Rule::Idempotency, twice, &format!("{marks} marks, each once"));
        Ok(())
    }

    /// Compares the tables with the log in the middle of the day, when much is under way. No commit may be:
    /// the tables are read behind the log.
    pub(crate) async fn at_noon(books: &Books, store: &dyn Store) -> Result<Vec<Breach>, PortError> {
        let mut findings = Self::default();
        findings.compare(books, store).await?;
        Ok(findings.breaches)
    }

    /// Notes a breach that was seen on the way.
    fn note(&mut self, breach: Breach) {
        self.lines.push((breach.rule, false, breach.what.clone()));
        self.breaches.push(breach);
    }

    /// Notes a rule and, where it does not hold, why.
    pub(super) fn rule(&mut self, rule: Rule, fault: Option<String>, line: &str) {
        match fault {
            None => self.lines.push((rule, true, line.to_owned())),
            Some(what) => self.note(Breach::new(rule, what)),
        }
    }

    /// Whether every rule holds.
    pub fn hold(&self) -> bool {
        self.breaches.is_empty()
    }

    /// What must not be.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// One line per rule: that it holds, or what is wrong.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let lines = self.lines.iter();
        lines.map(|(rule, holds, line)| format!("{} {rule}: {line}", if *holds { "ok   " } else { "FAILS" }))
    }
}

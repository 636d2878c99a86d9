//! The batch being filled. Every rule is the protocol's; the desk decides only when a batch is full
//! or too old.

use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{AccountIndex, Time};
use zkmargin_protocol::{Reject, Rule};

use crate::answer::{Reason, Refusal};
use crate::clock;
use crate::error::Error;

/// An accepted operation that is in no batch yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub sequence: u64,
    pub time: Time,
    pub operation: Operation,
}

/// What the desk says to an operation.
pub(crate) enum Verdict {
    Accepted,
    /// It has no room in this batch; close the batch and ask again.
    Closed,
    Refused(Refusal),
}

impl Verdict {
    /// Whether `rule` refuses.
    pub fn is_by(&self, rule: Rule) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.rule == rule.name())
    }
}

impl From<Reject> for Verdict {
    fn from(reject: Reject) -> Self {
        Self::Refused(reject.into())
    }
}

/// A batch over a state and a market, opened by its first operation, whose time is the batch's.
pub(crate) struct Desk<'a> {
    state: &'a State,
    market: Option<&'a Market>,
    shape: Shape,
    age_max_s: u64,
    open: Option<(Time, Batch<'a>)>,
}

impl<'a> Desk<'a> {
    /// The batch with the operations accepted before. It takes no more when older than `age_max_s`
    /// seconds.
    ///
    /// # Errors
    /// [`Error::Damaged`] if one of them is now refused.
    pub fn resume(
        state: &'a State,
        market: Option<&'a Market>,
        shape: Shape,
        age_max_s: u64,
        pending: &[Pending],
    ) -> Result<Self, Error> {
        let mut desk = Self { state, market, shape, age_max_s, open: None };
        for Pending { sequence, time, operation } in pending {
            let market = market.ok_or_else(|| {
                Error::broken_log(format!("entry {sequence} was accepted without a risk table"))
            })?;
            desk.push(market, operation, *time)
                .map_err(|reject| Error::diverged(*sequence, &reject))?;
        }
        Ok(desk)
    }

    /// Number of the batch.
    pub fn number(&self) -> u64 {
        self.state.batches()
    }

    /// Greatest age of the batch, seconds. However great it may be set, the batch ends with the age
    /// that its risk table may have: nothing else would bound the time of its operations.
    pub fn age_max_s(&self) -> u64 {
        let of_table = |market: &Market| market.parameters().oracle_max_age_s.into();
        self.market.map_or(self.age_max_s, |market| self.age_max_s.min(of_table(market)))
    }

    /// Whether there is a batch and it is older than it may be, so that it takes no more.
    pub fn is_old(&self, now: Time) -> bool {
        let opened = self.open.as_ref().map(|(opened, _)| opened.get());
        opened.is_some_and(|opened| now.get().saturating_sub(opened) > self.age_max_s())
    }

    /// Judges an operation that arrives at `now` and takes it if no rule refuses.
    pub fn admit(&mut self, operation: &Operation, now: Time) -> Verdict {
        let Some(market) = self.market else {
            let refusal = Refusal::new(Reason::NoMarket, "risk tables taken", 0);
            return Verdict::Refused(refusal);
        };
        let is_old = self.is_old(now);
        if self.open.is_none() || is_old {
            // Before the batch is closed, so that a wrong clock leaves no trace.
            if let Err(refusal) = clock::check_age(market.attestation(), market.parameters(), now) {
                return Verdict::Refused(refusal);
            }
        }
        if is_old {
            return Verdict::Closed;
        }
        if let Err(reject) = check_now(operation, market, now) {
            return reject.into();
        }
        let is_first = self.open.is_none();
        match self.push(market, operation, now) {
            Ok(()) => Verdict::Accepted,
            Err(reject) if !is_first && is_of_batch(operation, reject.rule) => Verdict::Closed,
            Err(reject) => reject.into(),
        }
    }

    fn push(&mut self, market: &'a Market, operation: &Operation, now: Time) -> Result<(), Reject> {
        let operations = std::slice::from_ref(operation);
        if let Some((_, batch)) = &mut self.open {
            return batch.push(operations);
        }
        // A refused operation opens no batch and fixes no time.
        let mut batch = Batch::new(self.state, market, self.shape, now)?;
        batch.push(operations)?;
        self.open = Some((now, batch));
        Ok(())
    }

    /// An account as it stands.
    pub fn account(&self, index: AccountIndex) -> Result<&Account, Reject> {
        match &self.open {
            Some((_, batch)) => batch.ledger().account(index),
            None => self.state.account(index),
        }
    }

    /// Ends the batch; `None` if there is nothing in it.
    pub fn close(self) -> Result<Option<(State, BatchTrace)>, Reject> {
        self.open.map(|(_, batch)| batch.seal()).transpose()
    }
}

/// Whether the rule refuses for what else is in the batch: it is full, an account may not sign
/// beside what its owner forces, what comes in would have to leave again or would make possible
/// what the batch has shown to be impossible, or the batch opens the account of a deposit that goes
/// back.
fn is_of_batch(operation: &Operation, rule: Rule) -> bool {
    match rule {
        Rule::Shape | Rule::ForcedRequest | Rule::ForcedWithdrawal | Rule::ForcedReduction => true,
        Rule::AccountExists => {
            matches!(operation, Operation::RefuseDeposit(_) | Operation::Forced(_))
        }
        _ => false,
    }
}

/// The batch's time is that of its first operation, up to the greatest age ago. Orders and
/// instruments that have expired since are refused as if the batch's time were now.
fn check_now(operation: &Operation, market: &Market, now: Time) -> Result<(), Reject> {
    match operation {
        Operation::Deposit(_)
        | Operation::Settle(_)
        | Operation::GrantTier(_)
        | Operation::StartAuction(_)
        | Operation::EndAuction(_)
        | Operation::CountDeficit(_)
        | Operation::RefuseDeposit(_)
        | Operation::Forced(_) => Ok(()),
        Operation::Request(signed) => signed.request.check_terms(now),
        Operation::Trade(trade) => {
            trade.buy.order.check_expiry(now)?;
            trade.sell.order.check_expiry(now)?;
            match market.rows().get(&trade.buy.order.instrument) {
                Some(row) => row.spec.check_live(now),
                None => Ok(()),
            }
        }
    }
}

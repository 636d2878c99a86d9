//! Where an attack is played: one market, a few accounts, batches sealed by the real rules.

mod signing;
mod worth;

use std::collections::BTreeMap;

use zkmargin_fixtures::build::{account, account_index, portfolio_book};
use zkmargin_fixtures::data::market::btc;
use zkmargin_protocol::account::margin::{self, Margin, MarginMethod};
use zkmargin_protocol::account::positions::Positions;
use zkmargin_protocol::account::{Account, Book, INSURANCE_FUND, fee_account};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::ledger::state::{Snapshot, State};
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::market::risk_table::Registry;
use zkmargin_protocol::market::settlement_price::Settlements;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::pricing::surface::Surface;
use zkmargin_protocol::value::units::{AccountIndex, Cash, Time};
use zkmargin_protocol::{Reject, Rule};

use super::ground::{Contract, Ground, Weather, instrument};
pub use signing::Deal;
pub use worth::Losses;

/// Accounts of the coalition: the first has the book, the second mirrors it, the third helps.
pub const OWN: [u32; 3] = [2, 3, 4];
/// An honest trader who bids, quotes and asks.
pub const HONEST: u32 = 8;
/// An honest depositor who does nothing.
pub const DEPOSITOR: u32 = 9;
/// Cash of the insurance fund at first, micro-USDC.
pub const FUND_E6: i128 = 2_000_000_000_000;
/// Cash of each honest account at first, micro-USDC.
pub const HONEST_E6: i128 = 50_000_000_000_000;

/// Account `number`.
pub fn of(number: u32) -> AccountIndex {
    account_index(number)
}

/// A market and accounts under attack.
#[derive(Clone)]
pub struct Stage<'g> {
    ground: &'g Ground,
    registry: Registry,
    settlements: Settlements,
    surface: Surface,
    epoch: u64,
    /// Tables from now on are signed with these.
    pub parameters: BatchParameters,
    /// The last table.
    pub market: Market,
    /// Time of the next batch.
    pub time: Time,
    /// Rows of a batch.
    pub shape: Shape,
    /// How the margin of the coalition's accounts is computed.
    pub method: MarginMethod,
    /// After the last batch.
    pub state: State,
    /// Where the coalition holds what it means to hold; its worth there is the yardstick.
    held: State,
    /// Cash that the coalition brought, micro-USDC.
    own_e6: i128,
    /// Cash of everybody else at first, without fund and fee account, micro-USDC.
    others_e6: i128,
}

impl<'g> Stage<'g> {
    /// A stage with these contracts listed under the recorded market, without accounts.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn new(ground: &'g Ground, contracts: &[Contract]) -> Result<Self, Reject> {
        let mut registry = Registry::new();
        for (place, &contract) in contracts.iter().enumerate() {
            registry.insert(instrument(place)?, ground.spec(contract)?);
        }
        let (weather, epoch, settlements) = (Weather::RECORDED, 1, Settlements::new());
        let surface = ground.surface(&registry, weather)?;
        let parameters = ground.parameters();
        let surfaces = [None, Some(&surface)];
        let market = ground.market(epoch, surfaces, &registry, &settlements, &parameters)?;
        let state =
            State::new(Snapshot::opening(ground.domain(), BTreeMap::new(), BTreeMap::new())?)?;
        let (time, held) = (Time::new(weather.time_s)?, state.clone());
        Ok(Self {
            ground,
            registry,
            settlements,
            surface,
            epoch,
            parameters,
            market,
            time,
            shape: Shape::LARGE,
            method: MarginMethod::Portfolio,
            state,
            held,
            own_e6: 0,
            others_e6: 0,
        })
    }

    /// Opens the accounts of the coalition with this cash, the honest ones, fund and fee account.
    ///
    /// # Errors
    /// [`Rule::Range`] for an amount that leaves its width.
    pub fn found(&mut self, cash_e6: &[(u32, i128)]) -> Result<(), Reject> {
        let others = [(HONEST, HONEST_E6), (DEPOSITOR, HONEST_E6)];
        let venue = [(INSURANCE_FUND.get(), FUND_E6), (fee_account().get(), 0)];
        let mut accounts = BTreeMap::new();
        for &(number, cash_e6) in cash_e6.iter().chain(&others).chain(&venue) {
            let book = portfolio_book(btc().get());
            let method = if OWN.contains(&number) { self.method } else { book.method };
            let opened = account(of(number), Book { method, ..book });
            accounts.insert(of(number), Account { cash: Cash::try_from(cash_e6)?, ..opened });
        }
        let all: i128 = cash_e6.iter().chain(&others).map(|(_, cash)| cash).sum();
        self.own_e6 = cash_e6.iter().filter(|(k, _)| OWN.contains(k)).map(|(_, cash)| cash).sum();
        self.others_e6 = all - self.own_e6;
        let domain = self.ground.domain();
        self.state = State::new(Snapshot::opening(domain, accounts, BTreeMap::new())?)?;
        self.held = self.state.clone();
        Ok(())
    }

    /// From here on the coalition could just hold.
    pub fn hold(&mut self) {
        self.held = self.state.clone();
    }

    /// The oracle publishes the next table.
    ///
    /// # Errors
    /// Those of the rules that build and sign a table.
    pub fn publish(&mut self, weather: Weather) -> Result<(), Reject> {
        let surface = self.ground.surface(&self.registry, weather)?;
        self.epoch += 1;
        let surfaces = [Some(&self.surface), Some(&surface)];
        self.market = self.ground.market(
            self.epoch,
            surfaces,
            &self.registry,
            &self.settlements,
            &self.parameters,
        )?;
        self.surface = surface;
        self.time = Time::new(weather.time_s)?;
        Ok(())
    }

    /// The oracle publishes the next table twice, so that the band bit is not set in the second.
    ///
    /// # Errors
    /// Those of [`Stage::publish`].
    pub fn publish_calmly(&mut self, weather: Weather) -> Result<(), Reject> {
        self.publish(weather)?;
        self.publish(weather)
    }

    /// Settles an expiry at its forward, moved by `forward_ppm`, from the next table on.
    ///
    /// # Errors
    /// Those of [`Ground::forward`].
    pub fn settle(&mut self, expiry: Time, forward_ppm: i64) -> Result<(), Reject> {
        let price = self.ground.forward(expiry, forward_ppm)?;
        self.settlements.insert((btc(), expiry), price);
        Ok(())
    }

    /// Time passes without a new table.
    ///
    /// # Errors
    /// [`Rule::Range`] beyond the protocol's times.
    pub fn pass(&mut self, seconds: i64) -> Result<(), Reject> {
        self.time = Time::new(self.time.get().saturating_add_signed(seconds))?;
        Ok(())
    }

    /// The row of the `place`-th contract.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`] if it has none.
    pub fn row(&self, place: usize) -> Result<&RiskRow, Reject> {
        let index = instrument(place)?;
        let missing =
            || Reject::new(Rule::InstrumentLive, "instrument", index).only("a listed one");
        self.market.rows().get(&index).ok_or_else(missing)
    }

    /// The account `number`.
    ///
    /// # Errors
    /// [`Rule::AccountExists`].
    pub fn account(&self, number: u32) -> Result<&Account, Reject> {
        self.state.account(of(number))
    }

    /// Margin of an account under the last table, settled positions as cash.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn margin(&self, number: u32) -> Result<Margin, Reject> {
        self.market.margin_of(self.account(number)?)
    }

    /// Margin of positions without cash.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn margin_of(&self, positions: &Positions) -> Result<Margin, Reject> {
        let (rows, parameters) = (self.market.rows(), self.market.parameters());
        margin::evaluate(Cash::default(), positions.iter(), rows, parameters, self.method)
    }

    /// A batch at the stage's time. Each group is applied whole or refused; the batch is sealed
    /// with what was accepted.
    ///
    /// # Errors
    /// Those of sealing: none for operations that were accepted.
    pub fn batch(&mut self, groups: &[&[Operation]]) -> Result<Vec<Result<(), Reject>>, Reject> {
        let mut batch = match Batch::new(&self.state, &self.market, self.shape, self.time) {
            Ok(batch) => batch,
            Err(reject) => return Ok(groups.iter().map(|_| Err(reject.clone())).collect()),
        };
        let verdicts = groups.iter().map(|group| batch.push(group)).collect();
        self.state = batch.seal()?.0;
        Ok(verdicts)
    }

    /// A batch of one group of operations. Whether they were accepted.
    ///
    /// # Errors
    /// Those of [`Stage::batch`].
    pub fn attempt(&mut self, group: &[Operation]) -> Result<bool, Reject> {
        let verdicts = self.batch(&[group])?;
        Ok(verdicts.iter().all(Result::is_ok))
    }

    /// A batch of one group of operations without which there is no attack.
    ///
    /// # Errors
    /// The verdict of the rules.
    pub fn must(&mut self, group: &[Operation]) -> Result<(), Reject> {
        self.batch(&[group])?.into_iter().collect()
    }
}

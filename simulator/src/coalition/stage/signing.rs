//! What accounts sign on a stage.

use zkmargin_fixtures::build::{OrderDraft, trade};
use zkmargin_fixtures::keys::trader_key;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::market::fee_schedule::FeePrices;
use zkmargin_protocol::market::risk_row::RiskRow;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::order::Side;
use zkmargin_protocol::operation::request::Request;
use zkmargin_protocol::value::units::{
    InstrumentIndex, Nonce, OrderQuantity, Price, Quantity, Tier, Time,
};
use zkmargin_protocol::{Reject, Rule};

use super::{Stage, of};

/// A trade between two accounts.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    /// Buyer and seller.
    pub accounts: [u32; 2],
    /// What is traded.
    pub instrument: InstrumentIndex,
    /// 1/1000 contracts.
    pub quantity_e3: i64,
    /// Price per contract.
    pub price: Price,
}

impl Stage<'_> {
    /// The highest fee per contract of an account in the first tier at a price.
    pub fn fee(&self, row: &RiskRow, price: Price) -> Price {
        let schedule = &self.market.parameters().fees;
        let prices = FeePrices::new(row, price);
        let fee = |is_maker| schedule.fee_floor(Tier::MIN, is_maker, &prices);
        fee(true).min(fee(false))
    }

    /// A trade at the highest fees. `place` counts the operations that its accounts have signed in
    /// the batch before.
    ///
    /// # Errors
    /// [`Rule::InstrumentLive`], [`Rule::AccountExists`], [`Rule::Range`].
    pub fn deal(&self, deal: Deal, place: usize) -> Result<Operation, Reject> {
        let Deal { accounts, instrument, quantity_e3, price } = deal;
        let missing = || Reject::new(Rule::InstrumentLive, "instrument", instrument);
        let rows = self.market.rows();
        let row = rows.get(&instrument).ok_or_else(|| missing().only("a listed one"))?;
        let fee = self.fee(row, price);
        let quantity = OrderQuantity::try_from(i128::from(quantity_e3))?;
        let draft = OrderDraft {
            instrument,
            spec: row.spec,
            limits: [price; 2],
            fee_limits: [fee; 2],
            quantities: [quantity; 2],
            expiry: Time::new(self.time.get() + 60)?,
            price,
            quantity: Quantity::new(quantity_e3)?,
            maker: Side::Sell,
            fees: [fee; 2],
        };
        let nonces = [self.nonce(accounts[0], place)?, self.nonce(accounts[1], place)?];
        Ok(trade(&draft, accounts.map(of), nonces))
    }

    /// A signed request. `place` counts the operations that the account has signed in the batch
    /// before.
    ///
    /// # Errors
    /// [`Rule::AccountExists`], [`Rule::Range`].
    pub fn request(&self, number: u32, action: Action, place: usize) -> Result<Operation, Reject> {
        let request = Request {
            account: of(number),
            action,
            nonce: Nonce::new(self.nonce(number, place)?)?,
            expiry: Time::new(self.time.get() + 60)?,
        };
        Ok(Operation::Request(request.sign(&trader_key(of(number)), self.ground.domain())))
    }

    /// The `place`-th nonce that is free in an account's window.
    ///
    /// # Errors
    /// [`Rule::AccountExists`].
    pub fn nonce(&self, number: u32, place: usize) -> Result<u64, Reject> {
        let nonces = self.account(number)?.nonces;
        let free = (0..WINDOW).filter(|k| nonces.bits >> k & 1 == 0).nth(place);
        Ok(nonces.base.get() + free.unwrap_or(WINDOW))
    }
}

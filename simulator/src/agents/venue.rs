//! What the venue decides: who is in which tier, and what a trade is charged.

use rand::Rng;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::grant_tier::GrantTier;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::value::units::{Price, Tier};

use crate::desk::Desk;
use crate::view::View;

/// A better tier for somebody who is not in the best.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = desk.anyone();
    let above = view.accounts.get(&account)?.tier.get() + 1;
    let most = above.max(Tier::MAX.get());
    let tier = Tier::new(desk.rng.gen_range(above..=most)).ok()?;
    Some(Operation::GrantTier(GrantTier { account, tier }))
}

/// The fees of buyer and seller: the most that each order and the schedule allow.
pub fn fees(view: &View, orders: [&Order; 2], maker: Side, price: Price) -> [Price; 2] {
    orders.map(|order| {
        let tier = view.accounts.get(&order.account).map_or(Tier::MIN, |account| account.tier);
        let row = view.market.rows().get(&order.instrument);
        let forward = row.map_or(Price::MIN, |row| row.forward);
        let schedule = &view.market.parameters().fees;
        order.fee_limit.min(schedule.fee_floor(tier, maker == order.side, [forward, price]))
    })
}

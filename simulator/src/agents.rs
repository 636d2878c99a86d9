//! Who sends operations. Each agent drafts one operation at a time from what it sees, or none.

mod adversary;
mod keeper;
mod liquidator;
mod maker;
mod owner;
mod trader;
mod treasury;
mod venue;

use zkmargin_protocol::operation::Operation;

use crate::desk::Desk;
use crate::view::View;
use rand::Rng;

/// The agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Trades with others at about the mark, opening and closing.
    Trader,
    /// Quotes both sides of the mark; takers hit the quotes.
    Maker,
    /// Starts auctions, bids for parts or the whole, ends auctions.
    Liquidator,
    /// Deposits, withdraws to the last micro-USDC, moves cash between accounts, fills the fund.
    Treasurer,
    /// Forces requests on L1.
    Owner,
    /// Changes keys and cancels orders.
    Keeper,
    /// Touches accounts that hold settled options.
    Settler,
    /// Grants tiers.
    Venue,
    /// Sends what should be refused.
    Adversary,
}

impl Agent {
    /// An agent, by how busy it is; auctions draw liquidators.
    pub fn draw(desk: &mut Desk, view: &View) -> Self {
        if desk.one_in(5) && !view.auctioned().is_empty() {
            return Self::Liquidator;
        }
        match desk.rng.gen_range(0..100) {
            0..14 => Self::Trader,
            14..24 => Self::Maker,
            24..34 => Self::Liquidator,
            34..60 => Self::Treasurer,
            60..65 => Self::Owner,
            65..66 => Self::Venue,
            66..69 => Self::Keeper,
            69..80 => Self::Settler,
            _ => Self::Adversary,
        }
    }

    /// What the agent sends.
    pub fn draft(self, desk: &mut Desk, view: &View) -> Option<Operation> {
        match self {
            Self::Trader => trader::draft(desk, view),
            Self::Maker => maker::draft(desk, view),
            Self::Liquidator => liquidator::draft(desk, view),
            Self::Treasurer => treasury::draft(desk, view),
            Self::Owner => owner::draft(desk, view),
            Self::Keeper => keeper::draft(desk, view),
            Self::Settler => keeper::settle(desk, view),
            Self::Venue => venue::draft(desk, view),
            Self::Adversary => adversary::draft(desk, view),
        }
    }
}

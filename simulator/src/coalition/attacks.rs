//! The attacks, one file each.

mod blocker;
mod dodger;
mod dust;
mod fee_evasion;
mod late_fill;
mod pair;
mod partner_bid;
mod sale_in_age;
mod self_transfers;
mod skipped_epoch;
mod wick;
mod worthless_longs;

use super::Attack;

/// Every attack, in the order of `docs/simulation.md`.
pub const ALL: [&dyn Attack; 16] = [
    &pair::CALM,
    &pair::JUMP,
    &pair::INSOLVENT,
    &pair::FACTORS,
    &pair::EXPIRY,
    &wick::Wick,
    &partner_bid::PartnerBid,
    &dodger::Dodger,
    &blocker::Blocker,
    &late_fill::LateFill,
    &skipped_epoch::SkippedEpoch,
    &sale_in_age::SaleInAge,
    &self_transfers::SelfTransfers,
    &dust::Dust,
    &fee_evasion::FeeEvasion,
    &worthless_longs::WorthlessLongs,
];

//! What a replay may vary, and the changes whose effect is reported.

use zkmargin_protocol::market::auction_parameters::AuctionParameters;
use zkmargin_protocol::market::risk_parameters::RiskParameters;
use zkmargin_protocol::value::units::PPM;

/// Rounds as long as a table is young enough for a batch.
const ROUNDS: usize = 10;

/// What a replay may vary.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Pairs of writer and holder.
    pub pairs: u32,
    /// Seed of the population.
    pub seed: u64,
    /// Seconds from a table to the next.
    pub step_s: u64,
    /// Rounds of auctions after a table at most.
    pub rounds: usize,
    /// What each liquidator must earn, lowest first; parts per million of the initial margin added.
    pub hurdles_ppm: Vec<u32>,
    /// Cash of all liquidators as a share of the writers', parts per million.
    pub bidders_ppm: u32,
    /// Cash of the insurance fund as a share of the writers', parts per million.
    pub fund_ppm: u32,
    /// How auctions go.
    pub auction: AuctionParameters,
    /// How the risk table is made.
    pub risk: RiskParameters,
}

impl Settings {
    /// The reference parameters of auctions and risk; liquidators with a fifth, a fund with a
    /// hundredth of the writers' cash.
    pub fn reference(step_s: u64) -> Self {
        Self {
            pairs: 126,
            seed: 2_026,
            step_s,
            rounds: ROUNDS,
            hurdles_ppm: vec![10_000, 20_000, 30_000, 50_000, 80_000, 100_000],
            bidders_ppm: 200_000,
            fund_ppm: 10_000,
            auction: AuctionParameters::reference(),
            risk: RiskParameters::reference(),
        }
    }
}

/// A change of the settings.
pub struct Variation {
    /// What it is called.
    pub title: &'static str,
    /// The change.
    pub vary: fn(&mut Settings),
}

/// The changes.
pub const VARIATIONS: [Variation; 7] = [
    Variation { title: "no liquidators", vary: |settings| settings.hurdles_ppm.clear() },
    Variation { title: "liquidators' cash ×4", vary: |settings| settings.bidders_ppm *= 4 },
    // A fall never leaves a band of all of the price.
    Variation { title: "no price band", vary: |settings| settings.risk.band_ppm = PPM },
    Variation { title: "buffer 25 %", vary: |settings| settings.auction.buffer_ppm = 250_000 },
    Variation {
        title: "first discount 15 %, fast part 5 min",
        vary: |settings| {
            settings.auction.discount_start_ppm = 850_000;
            settings.auction.fast_s = 300;
        },
    },
    Variation { title: "a table every 2 min", vary: |settings| settings.step_s = 120 },
    Variation { title: "fund ×4", vary: |settings| settings.fund_ppm *= 4 },
];

//! The price band: when the oracle's members say that the market has jumped. Spec:
//! `docs/spec/account/margin.md#PriceBand`.

use crate::account::positions::Positions;
use crate::account::reduction;
use crate::pricing::surface::Surface;
use crate::value::units::{PPM, Price};
use crate::{Reject, Rule};

/// Whether some forward of `surfaces` differs by more than `band_ppm`/10^6 from the one of
/// `before`, the surfaces of the epoch before. An underlying or expiry that is in one of the two
/// only has nothing to differ from.
pub fn is_outside(before: &[Surface], surfaces: &[Surface], band_ppm: u32) -> bool {
    surfaces.iter().any(|surface| {
        let same = |other: &&Surface| other.underlying() == surface.underlying();
        let Some(before) = before.iter().find(same) else { return false };
        surface.expiries().iter().any(|expiry| {
            let old = before.expiry(expiry.expiry);
            old.is_ok_and(|old| has_left(old.forward, expiry.forward, band_ppm))
        })
    })
}

fn has_left(old: Price, new: Price, band_ppm: u32) -> bool {
    let moved = u128::from(old.get().abs_diff(new.get())) * u128::from(PPM);
    moved > u128::from(old.get()) * u128::from(band_ppm)
}

/// While a forward is outside of its band, positions may be closed in whole or in part, not opened,
/// enlarged or turned. The pair is (before, after).
///
/// # Errors
/// [`Rule::PriceBand`].
pub fn check(positions: [&Positions; 2]) -> Result<(), Reject> {
    reduction::check_not_grown(Rule::PriceBand, positions)
}

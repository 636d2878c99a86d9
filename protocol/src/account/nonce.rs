//! The window of nonces of an account. Spec: `docs/spec/account/account.md#Nonce`.
//!
//! The window holds 64 nonces from `base`. Orders may be filled in any order, none twice. When a
//! batch ends and the lower half of the window is used up, the window moves up by that half. A
//! cancel-all names a base above the window.

use serde::{Deserialize, Serialize};

use crate::value::units::Nonce;
use crate::{Reject, Rule};

/// Nonces in a window.
pub const WINDOW: u64 = 64;
/// Nonces by which a window moves.
pub const SLIDE: u64 = WINDOW / 2;
const LOWER_HALF: u64 = (1 << SLIDE) - 1;

/// The used nonces of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceWindow {
    /// Lowest nonce of the window; all below it are used or void.
    pub base: Nonce,
    /// Bit `k` is set when nonce `base + k` is used.
    pub bits: u64,
}

impl NonceWindow {
    /// Marks `nonce` used.
    ///
    /// # Errors
    /// [`Rule::Nonce`] if it lies outside the window or is used.
    pub fn consume(&mut self, nonce: Nonce) -> Result<(), Reject> {
        let base = self.base.get();
        let offset = nonce.get().checked_sub(base).filter(|&k| k < WINDOW);
        let reject = || Reject::new(Rule::Nonce, "nonce", nonce);
        let offset = offset.ok_or_else(|| reject().within(base..=base + WINDOW - 1))?;
        if self.bits >> offset & 1 == 1 {
            return Err(reject().only("one that is not used"));
        }
        self.bits |= 1 << offset;
        Ok(())
    }

    /// `base` leaves the whole window behind.
    ///
    /// # Errors
    /// [`Rule::Nonce`] if a nonce of the window would stay valid.
    pub fn check_voided_by(self, base: Nonce) -> Result<(), Reject> {
        let least = self.base.get() + WINDOW;
        if base.get() < least {
            return Err(Reject::new(Rule::Nonce, "new base of nonces", base).at_least(least));
        }
        Ok(())
    }

    /// Whether the lower half is used up.
    pub fn is_half_used(self) -> bool {
        self.bits & LOWER_HALF == LOWER_HALF
    }

    /// The window can move when a batch ends, and again after the next one. So a batch may touch
    /// the account, for a deposit or what its owner forces, however few nonces are left.
    ///
    /// # Errors
    /// [`Rule::Nonce`] when the nonces of the account would be exhausted.
    pub fn check_movable(self) -> Result<(), Reject> {
        // A batch may use both halves of a window.
        self.slid()?.slid().map(drop)
    }

    /// The window a batch leaves behind.
    ///
    /// # Errors
    /// [`Rule::Nonce`] when the nonces of the account are exhausted.
    pub fn slid(self) -> Result<Self, Reject> {
        if !self.is_half_used() {
            return Ok(self);
        }
        let base = Nonce::new(self.base.get() + SLIDE).map_err(|_| {
            let reject = Reject::new(Rule::Nonce, "base of nonces to slide", self.base);
            reject.at_most(Nonce::MAX.get() - SLIDE)
        })?;
        Ok(Self { base, bits: self.bits >> SLIDE })
    }
}

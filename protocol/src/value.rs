//! Values, their widths and forms, and the rules by name.

pub mod custody;
pub mod decimal;
pub mod packing;
pub(crate) mod reading;
mod reject;
mod rule;
pub mod units;

pub use reject::Reject;
pub use rule::Rule;

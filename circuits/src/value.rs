//! Values packed into words, and those that stand once for the whole batch.

pub mod custody;
pub mod header;
pub mod packing;

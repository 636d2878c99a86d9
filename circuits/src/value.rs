//! Values packed into words.

pub mod packing;

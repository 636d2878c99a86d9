//! Twin of `protocol::value::packing`.

use ark_bn254::Fr;
use zkmargin_protocol::value::packing::{Layout, PACKED_BITS};

use crate::gadgets::boolean::Bool;
use crate::gadgets::element::Deferred;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::{Wire, sum};

/// A value whose width its type knows.
pub trait Packed {
    /// The wire.
    fn wire(&self) -> &Wire;

    /// The width in bits.
    fn width(&self) -> u32;
}

impl Packed for Bool {
    fn wire(&self) -> &Wire {
        self.lc()
    }

    fn width(&self) -> u32 {
        1
    }
}

impl Packed for Uint {
    fn wire(&self) -> &Wire {
        self.lc()
    }

    fn width(&self) -> u32 {
        self.bits()
    }
}

impl Packed for Deferred {
    fn wire(&self) -> &Wire {
        self
    }

    fn width(&self) -> u32 {
        self.bits()
    }
}

/// `Σ part_k · 2^(bits before k)`: injective, because every part is below `2^bits`.
pub fn pack(parts: &[&dyn Packed]) -> Uint {
    let mut shift = 0;
    let mut scaled = Vec::with_capacity(parts.len());
    for part in parts {
        scaled.push(part.wire().scaled(power_of_two::<Fr>(shift)));
        shift += part.width();
    }
    Uint::new_unchecked(sum(&scaled), shift)
}

/// As [`pack`], of the fields of a layout. Widths that are not the layout's are refused when the
/// circuit is written.
pub fn pack_as<const N: usize>(layout: &Layout<N>, parts: [&dyn Packed; N]) -> Uint {
    for ((name, bits), part) in layout.0.iter().zip(parts) {
        assert_eq!(part.width(), *bits, "width of {name}");
    }
    pack(&parts)
}

/// As [`pack`], of parts of one type.
pub fn pack_all<'a, P: Packed + 'a>(parts: impl IntoIterator<Item = &'a P>) -> Uint {
    let parts: Vec<&dyn Packed> = parts.into_iter().map(|part| part as _).collect();
    pack(&parts)
}

/// Parts in order, as many to an element as fit. Widths alone say what stands where, so this is
/// injective where [`pack`] is.
pub fn pack_words(parts: &[Uint]) -> Vec<Uint> {
    let (mut words, mut word, mut used) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        if used + part.bits() > PACKED_BITS {
            words.push(pack_all(word.drain(..)));
            used = 0;
        }
        word.push(part);
        used += part.bits();
    }
    if !word.is_empty() {
        words.push(pack_all(word));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cs;
    use crate::cs::Mode;

    #[test]
    fn words_hold_252_bits_at_most_and_parts_in_order() {
        let cs = Cs::new(Mode::Witness);
        let part = |value, bits| Uint::constant(&cs, value, bits);
        let parts = [part(5, 250), part(3, 2), part(1, 1), part(7, 252), part(2, 2)];
        let words: Vec<_> = pack_words(&parts).iter().map(|word| word.lc().value()).collect();
        let first = Fr::from(5u64) + Fr::from(3u64) * power_of_two::<Fr>(250);
        assert_eq!(words, [first, Fr::from(1u64), Fr::from(7u64), Fr::from(2u64)]);
        assert!(pack_words(&[]).is_empty());
    }

    #[test]
    #[should_panic(expected = "width of second")]
    fn a_width_that_is_not_the_layouts_is_refused() {
        let cs = Cs::new(Mode::Witness);
        let [first, second] = [7, 9].map(|bits| Uint::constant(&cs, 1, bits));
        pack_as(&Layout([("first", 7), ("second", 8)]), [&first, &second]);
    }
}

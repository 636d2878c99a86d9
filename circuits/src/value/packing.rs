//! Twin of `protocol::value::packing`.

use zkmargin_protocol::value::packing::PACKED_BITS;

use crate::gadgets::integer::power_of_two;
use crate::{Wire, sum};

/// `Σ part_k · 2^(bits before k)`. The caller proves each part below `2^bits`; then the packing is
/// injective.
pub fn pack(parts: &[(&Wire, u32)]) -> Wire {
    let mut shift = 0;
    let mut scaled = Vec::with_capacity(parts.len());
    for (part, bits) in parts {
        scaled.push(part.scaled(power_of_two(shift)));
        shift += bits;
    }
    sum(&scaled)
}

/// A wire and the width in bits that its constraints prove of it.
pub type Part = (Wire, u32);

/// Parts in order, as many to an element as fit. Widths alone say what stands where, so this is
/// injective where [`pack`] is.
pub fn pack_words(parts: &[Part]) -> Vec<Wire> {
    let (mut words, mut word, mut used) = (Vec::new(), Vec::new(), 0);
    for (part, bits) in parts {
        if used + bits > PACKED_BITS {
            words.push(pack(&word));
            (word, used) = (Vec::new(), 0);
        }
        word.push((part, *bits));
        used += bits;
    }
    if !word.is_empty() {
        words.push(pack(&word));
    }
    words
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::Cs;
    use crate::cs::Mode;

    #[test]
    fn words_hold_252_bits_at_most_and_parts_in_order() {
        let cs = Cs::new(Mode::Witness);
        let part = |value: u64, bits| (cs.constant(Fr::from(value)), bits);
        let parts = [part(5, 250), part(3, 2), part(1, 1), part(7, 252), part(2, 2)];
        let words: Vec<_> = pack_words(&parts).iter().map(Wire::value).collect();
        let first = Fr::from(5u64) + Fr::from(3u64) * power_of_two::<Fr>(250);
        assert_eq!(words, [first, Fr::from(1u64), Fr::from(7u64), Fr::from(2u64)]);
        assert!(pack_words(&[]).is_empty());
    }
}

//! The sections of a key file and the places of their frames.

use super::frame::FRAME_HEAD_BYTES;

/// Elements of a frame; at 2^16 points a frame takes a second or two of setup.
pub(crate) const FRAME_ELEMENTS: usize = 1 << 16;

/// The parts of the file in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    FixedG1,
    FixedG2,
    Inputs,
    ColumnsA,
    ColumnsB,
    ColumnsL,
    PointsA,
    PointsB1,
    PointsB2,
    PointsL,
    PointsH,
    EvidenceG1,
    EvidenceG2,
}

impl Section {
    pub(crate) const ALL: [Self; 13] = [
        Self::FixedG1,
        Self::FixedG2,
        Self::Inputs,
        Self::ColumnsA,
        Self::ColumnsB,
        Self::ColumnsL,
        Self::PointsA,
        Self::PointsB1,
        Self::PointsB2,
        Self::PointsL,
        Self::PointsH,
        Self::EvidenceG1,
        Self::EvidenceG2,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FixedG1 => "alpha, beta, delta in G1",
            Self::FixedG2 => "beta, gamma, delta in G2",
            Self::Inputs => "public inputs",
            Self::ColumnsA => "columns of A",
            Self::ColumnsB => "columns of B",
            Self::ColumnsL => "columns of L",
            Self::PointsA => "A in G1",
            Self::PointsB1 => "B in G1",
            Self::PointsB2 => "B in G2",
            Self::PointsL => "L in G1",
            Self::PointsH => "H in G1",
            Self::EvidenceG1 => "evidence in G1",
            Self::EvidenceG2 => "evidence in G2",
        }
    }

    fn element_bytes(self) -> u64 {
        match self {
            Self::ColumnsA | Self::ColumnsB | Self::ColumnsL => 4,
            Self::FixedG2 | Self::PointsB2 | Self::EvidenceG2 => 128,
            _ => 64,
        }
    }

    /// Whether the section comes before the evidence, which depends on it.
    pub(crate) fn is_content(self) -> bool {
        !matches!(self, Self::EvidenceG1 | Self::EvidenceG2)
    }
}

/// Where a frame belongs, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The section it is a part of.
    pub(crate) section: Section,
    /// The first of its elements.
    pub(crate) first: u64,
    /// The number of its elements.
    pub(crate) count: u64,
}

impl Place {
    /// Bytes of the frame's elements.
    pub(super) fn data_bytes(self) -> u64 {
        self.count * self.section.element_bytes()
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(self) -> u64 {
        FRAME_HEAD_BYTES as u64 + self.data_bytes()
    }
}

//! Which circuits a chore is about.

use clap::{Args, ValueEnum};
use zkmargin_circuits::catalogue::{self, Circuit};

/// Size of the batch circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A batch of a few rows.
    Tiny,
    /// A batch that proves on a laptop.
    Small,
    /// The batch of the budget.
    Large,
}

/// A choice of circuits; by default all gadgets and the tiny batch.
#[derive(Args)]
pub struct Selection {
    /// The batch circuit of this size.
    #[arg(long)]
    shape: Option<Shape>,
    /// The circuits whose name starts so.
    #[arg(long, value_name = "NAME")]
    gadget: Option<String>,
}

impl Selection {
    /// The circuits chosen; an error if there are none.
    pub fn circuits(&self) -> Result<Vec<&'static Circuit>, String> {
        let batch = |shape: Shape| format!("batch/{shape:?}").to_lowercase();
        let is_chosen = |circuit: &&Circuit| match (&self.gadget, self.shape) {
            (None, None) => {
                !circuit.name.starts_with("batch/") || circuit.name == batch(Shape::Tiny)
            }
            (gadget, shape) => {
                gadget.as_ref().is_some_and(|name| circuit.name.starts_with(name))
                    || shape.is_some_and(|shape| circuit.name == batch(shape))
            }
        };
        let chosen: Vec<_> = catalogue::circuits().filter(is_chosen).collect();
        if chosen.is_empty() {
            let names: Vec<_> = catalogue::circuits().map(|circuit| circuit.name).collect();
            return Err(format!("no such circuit; the catalogue holds {}", names.join(", ")));
        }
        Ok(chosen)
    }
}

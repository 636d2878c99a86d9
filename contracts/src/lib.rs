//! See the package description; the modules land one by one.

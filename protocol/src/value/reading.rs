//! Types that are checked when they are read.

/// Lets serde read a type only if its `check` accepts the value. The type derives both traits with
/// `remote = "Self"`, which makes the derived functions inherent: they read and write, the traits
/// call them.
macro_rules! check_when_read {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Self::deserialize(deserializer)?;
                value.check().map_err(serde::de::Error::custom)?;
                Ok(value)
            }
        }
    };
}

pub(crate) use check_when_read;

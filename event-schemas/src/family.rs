//! What all aggregates' events share: a name, a version, a form as bytes.

use serde::Serialize;

use crate::envelope::Category;

/// The events of one aggregate.
pub trait DomainEvent: Serialize + Sized {
    /// The category of the streams they live in.
    const CATEGORY: Category;
    /// Every event type's name with the schema version this code writes.
    const TYPES: &'static [(&'static str, u16)];

    /// The stored type name, past tense: `OrderPlaced`.
    fn event_type(&self) -> &'static str;

    /// The schema version this code writes for this event.
    fn schema_version(&self) -> u16;

    /// Reads an event as it was stored, whatever version wrote it.
    ///
    /// # Errors
    /// When the type is not of this family, comes from a newer version of the shop, or its bytes do not fit its schema.
    fn decode(event_type: &str, schema_version: u16, data: &[u8]) -> Result<Self, DecodeError>;

    /// The JSON that is stored.
    fn encode(&self) -> bytes::Bytes {
        // Invariant: events are plain structs with string keys; writing them to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// Why stored bytes are not an event that this version knows.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No event of that name here: written by a newer version, or in the wrong stream.
    #[error("{event_type} is not an event of {category}")]
    UnknownType {
        /// The stored type name.
        event_type: String,
        /// The stream's category.
        category: String,
    },
    /// The schema version is above the one this code writes.
    #[error("{event_type} has schema version {found}, this version of jangteo reads up to {known}: upgrade it")]
    Newer {
        /// The stored type name.
        event_type: &'static str,
        /// The stored schema version.
        found: u16,
        /// The newest this code knows.
        known: u16,
    },
    /// The bytes are not what the schema says.
    #[error("{event_type} version {schema_version} does not fit its schema: {source}")]
    Malformed {
        /// The stored type name.
        event_type: &'static str,
        /// The stored schema version.
        schema_version: u16,
        /// What serde says.
        source: serde_json::Error,
    },
}

/// Reads one event struct, upcasting first where older code wrote the bytes.
pub(crate) fn read<E: serde::de::DeserializeOwned>(
    event_type: &'static str,
    known: u16,
    schema_version: u16,
    data: &[u8],
) -> Result<E, DecodeError> {
    let malformed = |source| DecodeError::Malformed {
        event_type,
        schema_version,
        source,
    };
    if schema_version > known {
        return Err(DecodeError::Newer {
            event_type,
            found: schema_version,
            known,
        });
    }
    if schema_version < known {
        let upcast = crate::upcasters::upcast(event_type, schema_version, known, data).map_err(malformed)?;
        return serde_json::from_value(upcast).map_err(malformed);
    }
    serde_json::from_slice(data).map_err(malformed)
}

/// Declares an aggregate's events: an enum with one variant per struct, named alike, and its [`DomainEvent`].
/// `Name = version` is the schema version that this code writes. `about field: Id` says what every one of them names, and makes a
/// method of it.
macro_rules! event_family {
    // The events in one piece, so that they can stand under each of the fields.
    (@about $family:ident $events:tt $($field:ident: $id:ty),*) => {
        $(event_family!(@names $family $events $field: $id);)*
    };
    (@names $family:ident [$($event:ident)+] $field:ident: $id:ty) => {
        impl $family {
            #[doc = concat!("The `", stringify!($field), "`, which each of these events names.")]
            pub const fn $field(&self) -> $id {
                match self { $(Self::$event(event) => event.$field,)+ }
            }
        }
    };
    (
        $(#[$doc:meta])*
        $family:ident in $category:ident $(about $($field:ident: $id:ty),+)? { $($event:ident = $version:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "events are read one at a time and soon dropped")]
        pub enum $family {
            $(#[doc = concat!("See [`", stringify!($event), "`].")] $event($event),)+
        }

        impl $crate::family::DomainEvent for $family {
            const CATEGORY: $crate::envelope::Category = $crate::envelope::Category::$category;
            const TYPES: &'static [(&'static str, u16)] = &[$((stringify!($event), $version)),+];

            fn event_type(&self) -> &'static str {
                match self { $(Self::$event(_) => stringify!($event),)+ }
            }

            fn schema_version(&self) -> u16 {
                match self { $(Self::$event(_) => $version,)+ }
            }

            fn decode(
                event_type: &str,
                schema_version: u16,
                data: &[u8],
            ) -> Result<Self, $crate::family::DecodeError> {
                match event_type {
                    $(stringify!($event) => {
                        $crate::family::read(stringify!($event), $version, schema_version, data).map(Self::$event)
                    })+
                    unknown => Err($crate::family::DecodeError::UnknownType {
                        event_type: unknown.to_owned(),
                        category: Self::CATEGORY.to_string(),
                    }),
                }
            }
        }

        $(impl From<$event> for $family {
            fn from(event: $event) -> Self {
                Self::$event(event)
            }
        })+

        event_family!(@about $family [$($event)+] $($($field: $id),+)?);

        impl $family {
            /// The JSON Schema of each event, by type name.
            pub(crate) fn schemas() -> Vec<(&'static str, u16, schemars::Schema)> {
                vec![$((stringify!($event), $version, schemars::schema_for!($event))),+]
            }
        }
    };
}
pub(crate) use event_family;

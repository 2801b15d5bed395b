//! What a line in the list of read models ([`crate::models`]) stands for.

use crate::{documents::Collection, projection::Projection};

/// Something to be done with each read model, such as starting what fills it.
pub trait Visitor {
    /// Does it with this one.
    fn visit<P: Projection>(&mut self, documents: &Collection<P::Model>);
}

/// `name: Projection` makes `ReadModels::name()`, the documents that the projection fills, and enters it wherever all read
/// models are gone through. A macro, because each has another type: forgetting one anywhere does not compile.
macro_rules! read_models {
    ($($(#[$doc:meta])* $name:ident: $projection:ty,)+) => {
        /// The documents of all read models.
        #[derive(Debug)]
        pub(crate) struct Collections {
            $($name: $crate::documents::Collection<<$projection as $crate::projection::Projection>::Model>,)+
        }

        impl Collections {
            /// Opens all, each in the store that `store` names for it.
            pub(crate) async fn open(
                store: impl Fn(&'static str) -> std::sync::Arc<dyn $crate::documents::DocumentStore> + Send + Sync,
            ) -> Result<Self, $crate::documents::StoreError> {
                Ok(Self {
                    $($name: $crate::documents::Collection::open(store(
                        $crate::projection::name::<$projection>(),
                    )).await?,)+
                })
            }

            /// Makes a generation that was built the live one of its read model.
            pub(crate) async fn promote(
                &self,
                generation: $crate::documents::Generation,
            ) -> Result<(), $crate::documents::StoreError> {
                $(if generation.model == $crate::projection::name::<$projection>() {
                    return self.$name.promote(generation).await;
                })+
                let unknown = format!("there is no read model {}", generation.model);
                Err($crate::documents::StoreError::Unavailable(unknown))
            }
        }

        impl $crate::ReadModels {
            /// The names of the read models, and of the projections that fill them.
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] =
                [$($crate::projection::name::<$projection>()),+];

            $($(#[$doc])*
            pub const fn $name(
                &self,
            ) -> &$crate::documents::Collection<<$projection as $crate::projection::Projection>::Model> {
                &self.collections.$name
            })+

            /// Goes through all read models.
            pub fn visit(&self, visitor: &mut impl $crate::registry::Visitor) {
                $(visitor.visit::<$projection>(&self.collections.$name);)+
            }
        }
    };
}
pub(crate) use read_models;

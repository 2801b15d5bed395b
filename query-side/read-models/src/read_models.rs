//! All read models, opened in one folder.

use std::{path::Path, sync::Arc};

use crate::{
    carts::Carts,
    catalogue::{Catalogue, Finder, SearchEngine, SearchError, SearchIndex, SearchQuery, SearchResults},
    documents::{Collection, DocumentStore, Documents, Generation, Model, StoreError},
    my_page::MyPage,
    product_page::Products,
    progress::Progress,
    sagas::Sagas,
    seller_orders::SellerOrders,
    tracking::Tracking,
};

/// The read models cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the read models in {folder} cannot be opened: {source}")]
pub struct OpenError {
    folder: String,
    source: StoreError,
}

/// Everything that queries read.
#[derive(Debug)]
pub struct ReadModels {
    products: Collection<Products>,
    my_page: Collection<MyPage>,
    tracking: Collection<Tracking>,
    seller_orders: Collection<SellerOrders>,
    carts: Collection<Carts>,
    sagas: Collection<Sagas>,
    catalogue: Collection<Catalogue>,
    /// None where the index is in another process.
    finder: Option<Finder>,
    progress: Progress,
}

/// Where the catalogue is.
enum Reach {
    /// Searched from here.
    Here(Arc<dyn SearchEngine>),
    /// In another process.
    Elsewhere(Arc<dyn DocumentStore>),
}

impl ReadModels {
    /// The names of the read models, and of the projections that fill them.
    pub const NAMES: [&'static str; 7] = [
        Products::NAME,
        Catalogue::NAME,
        MyPage::NAME,
        SellerOrders::NAME,
        Tracking::NAME,
        Carts::NAME,
        Sagas::NAME,
    ];

    /// Opens the read models in the shop's data folder: documents in `read-models`, the search index in `search`.
    ///
    /// # Errors
    /// When a folder cannot be written, is open in another process, or holds something else.
    pub async fn open(data: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError {
            folder: data.display().to_string(),
            source,
        };
        let documents = Documents::open(&data.join("read-models")).map_err(failed)?;
        let search = SearchIndex::open(&data.join("search")).map_err(failed)?;
        let opened = Self::over(Arc::new(documents), Reach::Here(Arc::new(search))).await;
        opened.map_err(failed)
    }

    /// Read models that lie in another process, for projections to fill; they cannot be searched from here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn elsewhere(store: Arc<dyn DocumentStore>) -> Result<Self, StoreError> {
        Self::over(Arc::clone(&store), Reach::Elsewhere(store)).await
    }

    async fn over(documents: Arc<dyn DocumentStore>, catalogue: Reach) -> Result<Self, StoreError> {
        let (catalogue, finder) = match catalogue {
            Reach::Here(engine) => {
                let catalogue = Collection::open(Arc::clone(&engine) as _).await?;
                (catalogue.clone(), Some(Finder::new(engine, catalogue)))
            }
            Reach::Elsewhere(store) => (Collection::open(store).await?, None),
        };
        Ok(Self {
            products: Collection::open(Arc::clone(&documents)).await?,
            my_page: Collection::open(Arc::clone(&documents)).await?,
            tracking: Collection::open(Arc::clone(&documents)).await?,
            seller_orders: Collection::open(Arc::clone(&documents)).await?,
            carts: Collection::open(Arc::clone(&documents)).await?,
            sagas: Collection::open(documents).await?,
            catalogue,
            finder,
            progress: Progress::new(Self::NAMES),
        })
    }

    /// Product pages.
    pub const fn products(&self) -> &Collection<Products> {
        &self.products
    }

    /// Customers and their orders.
    pub const fn my_page(&self) -> &Collection<MyPage> {
        &self.my_page
    }

    /// Where parcels are.
    pub const fn tracking(&self) -> &Collection<Tracking> {
        &self.tracking
    }

    /// Sellers' orders.
    pub const fn seller_orders(&self) -> &Collection<SellerOrders> {
        &self.seller_orders
    }

    /// Carts.
    pub const fn carts(&self) -> &Collection<Carts> {
        &self.carts
    }

    /// Where sagas stand.
    pub const fn sagas(&self) -> &Collection<Sagas> {
        &self.sagas
    }

    /// The entries of the catalogue; to search it, see [`Self::search`].
    pub const fn catalogue(&self) -> &Collection<Catalogue> {
        &self.catalogue
    }

    /// Searches the catalogue.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResults, SearchError> {
        match &self.finder {
            Some(finder) => finder.search(query).await,
            None => Err(SearchError::Unavailable("the index is in another process".to_owned())),
        }
    }

    /// Where a read model's documents are.
    pub(crate) fn store(&self, model: &'static str) -> &dyn DocumentStore {
        if model == Catalogue::NAME {
            self.catalogue.store()
        } else {
            self.products.store()
        }
    }

    /// Makes a generation that was built the live one: queries from now on read it.
    pub(crate) async fn promote(&self, generation: Generation) -> Result<(), StoreError> {
        match generation.model {
            Products::NAME => self.products.promote(generation).await,
            Catalogue::NAME => self.catalogue.promote(generation).await,
            MyPage::NAME => self.my_page.promote(generation).await,
            SellerOrders::NAME => self.seller_orders.promote(generation).await,
            Tracking::NAME => self.tracking.promote(generation).await,
            Carts::NAME => self.carts.promote(generation).await,
            Sagas::NAME => self.sagas.promote(generation).await,
            other => Err(StoreError::Unavailable(format!("there is no read model {other}"))),
        }
    }

    /// How far each projection has come.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }
}

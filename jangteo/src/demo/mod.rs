//! The demo shop: products, pictures and one account per role, for a first look.
//!
//! Everything is done through the services that customers and sellers use, under command ids that are derived from names, so
//! that a start that was cut off is completed by the next and nothing is done twice. A file in the folder ([`progress`])
//! remembers that the shop began as a demo: a shop that did not is never given accounts with a password that everyone knows.
//!
//! Accounts, products and stock are there when the shop is ready. The pictures are drawn after that ([`gallery`]): they take
//! longer than a newcomer likes to wait.

pub mod catalogue;
mod gallery;
pub mod picture;
mod progress;
#[cfg(test)]
mod tests;

use std::{
    fmt, fs,
    io::{self, Write as _},
    time::Duration,
};

use command_services::{
    accounts::{AccountError, NewAccount},
    execution::CommandContext,
    inventory::Inventory,
    products::{ListProduct, Products},
    services::ServiceError,
};
use edge::Role;
use event_log::LogError;
use event_schemas::{ProductId, SellerId, Timestamp, ids::derived_uuid};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::{Shop, startup::query_side::SYNONYMS};
use catalogue::DemoProduct;
use gallery::Gallery;
use progress::Progress;

/// What every demo account signs in with.
pub const PASSWORD: &str = "jangteo-demo";

/// The demo's words that mean the same.
const WORDS: &str = include_str!("synonyms.txt");

/// The parent of the demo's command ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a61_6e67_7465_8f00_a964_656d_6f00_0001);
/// Commands under way at a time: enough to share disk flushes.
const IN_FLIGHT: usize = 64;

/// The accounts: address, name, role.
const ACCOUNTS: [(&str, &str, Role); 4] = [
    ("customer@demo.example", "김하늘 Kim Haneul", Role::Customer),
    ("seller@demo.example", "장터상회 Jangteo Trading", Role::Seller),
    ("admin@demo.example", "이슬기 Lee Seulgi", Role::Admin),
    ("operator@demo.example", "박바다 Park Bada", Role::Operator),
];

/// What the demo brought.
#[derive(Debug)]
pub struct DemoSummary {
    /// How many products; none where the folder held another shop before.
    pub products: usize,
    gallery: Option<Gallery>,
}

/// Why the demo could not be set up. Starting again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The catalogue in this program is broken.
    #[error("the demo's catalogue: {0}")]
    Catalogue(#[from] csv::Error),
    /// An account could not be made.
    #[error("a demo account: {0}")]
    Account(#[from] AccountError),
    /// A product or its stock was not taken.
    #[error("the demo's products: {0}")]
    Service(#[from] ServiceError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The file of synonyms cannot be written.
    #[error("{SYNONYMS}: {0}")]
    Synonyms(#[source] io::Error),
    /// The file that remembers the demo cannot be kept.
    #[error("{file}: {source}", file = progress::FILE)]
    Progress {
        /// What the system says.
        source: io::Error,
    },
}

/// Sets the demo up, or completes it, on a shop that is up; on a shop that is no demo it does nothing.
///
/// # Errors
/// See [`DemoError`].
pub async fn seed(shop: &Shop) -> Result<DemoSummary, DemoError> {
    let progress = Progress::of(shop.folder());
    if !progress.has_begun() {
        // A shop that waits for its first admin is nobody's yet: empty, or filled with imported history alone.
        if shop.accounts().new_setup_token().await?.is_none() {
            return Ok(DemoSummary {
                products: 0,
                gallery: None,
            });
        }
        synonyms(shop)?;
        progress.begin()?;
    }
    // On the heap: four registrations at once are a large future.
    let seller = Box::pin(accounts(shop)).await?;
    let products = catalogue::products()?;
    let count = products.len();
    if !progress.is_stocked() {
        let services = shop.services();
        stock(&services.products, &services.inventory, seller, &products).await?;
        progress.stocked()?;
    }
    let gallery = (!progress.is_pictured()).then(|| Gallery::open(&shop.services().products, products, progress));
    Ok(DemoSummary {
        products: count,
        gallery,
    })
}

/// A few words that mean the same, unless the shop's keeper wrote down others.
fn synonyms(shop: &Shop) -> Result<(), DemoError> {
    let written =
        fs::File::create_new(shop.folder().place(SYNONYMS)).and_then(|mut file| file.write_all(WORDS.as_bytes()));
    match written {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(DemoError::Synonyms(error)),
        _ => Ok(()),
    }
}

/// One account per role. Returns the seller's.
async fn accounts(shop: &Shop) -> Result<SellerId, AccountError> {
    let made = ACCOUNTS.map(|(email, name, role)| async move {
        let new = NewAccount {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            name: name.to_owned(),
        };
        shop.accounts().seed(&new, vec![role]).await
    });
    let [customer, seller, admin, operator] = made;
    // At the same time: hashing a password takes longest.
    let (_, seller, _, _) = tokio::try_join!(customer, seller, admin, operator)?;
    Ok(seller.id)
}

/// Lists the products and receives their stock.
async fn stock(
    products: &Products,
    inventory: &Inventory,
    seller: SellerId,
    catalogue: &[DemoProduct],
) -> Result<(), ServiceError> {
    let offers = catalogue
        .iter()
        .map(|product| offer(products, inventory, seller, product));
    stream::iter(offers)
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

async fn offer(
    products: &Products,
    inventory: &Inventory,
    seller: SellerId,
    product: &DemoProduct,
) -> Result<(), ServiceError> {
    let listing = ListProduct {
        seller_id: seller,
        title: product.title.clone(),
        description: product.description.clone(),
        brand: product.brand.clone(),
        category: product.category.clone(),
        attributes: product.attributes.clone(),
        price: product.price,
        ean: None,
    };
    let (id, _) = products.list_product(&command("list", &product.name), listing).await?;
    if product.stock > 0 {
        inventory
            .receive(id, product.stock, &command("stock", &product.name))
            .await?;
    }
    Ok(())
}

/// The command that does `what` to the product of that name: always the same.
fn command(what: &str, name: &str) -> CommandContext {
    let id = derived_uuid(NAMESPACE, &format!("{what}:{name}"));
    CommandContext::within("demo", id, Timestamp::now())
}

/// The id of the demo's product of that name: what [`offer`] makes.
pub fn product_id(name: &str) -> ProductId {
    ProductId::derived(command("list", name).command_id, "product")
}

impl DemoSummary {
    /// Waits until the pictures are drawn, which goes on while the shop is up; false when `patience` ran out.
    pub async fn pictured(&self, patience: Duration) -> bool {
        match &self.gallery {
            Some(gallery) => gallery.finished(patience).await,
            None => true,
        }
    }
}

impl fmt::Display for DemoSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.products == 0 {
            return write!(
                f,
                "  no demo: this folder is another shop's; name an empty one with --data to see the demo"
            );
        }
        writeln!(f, "  a demo with {} products in Korean and English", self.products)?;
        write!(f, "  sign in with the password {PASSWORD} as")?;
        for (email, _, role) in ACCOUNTS {
            let does = match role {
                Role::Customer => "buys, and has a page",
                Role::Seller => "sells all products",
                Role::Admin => "gives roles",
                Role::Operator => "looks after the shop",
            };
            write!(f, "\n    {email:<24} {does}")?;
        }
        Ok(())
    }
}

//! Who and what an order refers to, told before the first order that does.

use std::collections::HashMap;

use event_schemas::{
    CustomerId, Money, ProductId, SellerId, Timestamp,
    customer::{CustomerEvent, CustomerRegistered},
    product::{AttributeValue, Attributes, ProductEvent, ProductListed},
    seller::{SellerEvent, SellerRegistered},
};

use super::{
    story::{Line, Story},
    tables::Tables,
};
use crate::{
    import::{
        ExampleCustomer,
        history::{imported_id, single},
    },
    sink::ImportedStream,
};

/// Everyone who appeared so far.
#[derive(Debug, Default)]
pub(super) struct People {
    /// With how many orders they have.
    customers: HashMap<CustomerId, u64>,
    sellers: HashMap<SellerId, ()>,
    products: HashMap<ProductId, ()>,
}

/// The account of the person with this unique id.
pub(super) fn customer_id(unique_id: &str) -> CustomerId {
    imported_id(&format!("olist:customer:{unique_id}"))
}

pub(super) fn seller_id(source_id: &str) -> SellerId {
    imported_id(&format!("olist:seller:{source_id}"))
}

pub(super) fn product_id(source_id: &str) -> ProductId {
    imported_id(&format!("olist:product:{source_id}"))
}

/// The source keeps no titles: the category in English and the start of the id make one.
pub(super) fn title(source_id: &str, tables: &Tables) -> String {
    let category = category(source_id, tables);
    let kind = if category.is_empty() { "Product" } else { &category };
    format!("{kind} {}", short(source_id))
}

/// `bed_bath_table` is "Bed bath table"; without a translation the Portuguese words.
fn category(source_id: &str, tables: &Tables) -> String {
    let portuguese = tables
        .products
        .get(source_id)
        .map_or("", |product| product.category.as_str());
    let name = tables
        .english
        .get(portuguese)
        .map_or(portuguese, String::as_str)
        .replace('_', " ");
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn short(source_id: &str) -> &str {
    source_id.get(..8).unwrap_or(source_id)
}

impl People {
    /// The registrations and listings that `story` needs and nobody told yet.
    pub(super) fn meet(&mut self, story: &Story<'_>, tables: &Tables) -> Vec<ImportedStream> {
        let mut newcomers = vec![];
        let orders = self.customers.entry(story.customer_id).or_insert(0);
        *orders += 1;
        if *orders == 1 {
            newcomers.push(customer(story));
        }
        for line in &story.lines {
            if self.sellers.insert(line.seller_id, ()).is_none() {
                newcomers.push(seller(line, story.placed_at, tables));
            }
            // The line that stands for unrecorded goods is no product anyone could look at.
            if !line.source_id.is_empty() && self.products.insert(line.product_id, ()).is_none() {
                newcomers.push(product(line, story.placed_at, tables));
            }
        }
        newcomers
    }

    pub(super) fn customers(&self) -> usize {
        self.customers.len()
    }

    pub(super) fn sellers(&self) -> usize {
        self.sellers.len()
    }

    pub(super) fn products_sold(&self) -> usize {
        self.products.len()
    }

    /// The customer with most orders; of several always the same.
    pub(super) fn best_customer(&self) -> Option<ExampleCustomer> {
        let (id, orders) = self.customers.iter().max_by_key(|(id, orders)| (**orders, **id))?;
        Some(ExampleCustomer {
            id: id.uuid(),
            orders: *orders,
        })
    }
}

fn customer(story: &Story<'_>) -> ImportedStream {
    let row = story.customer;
    let registered = CustomerRegistered {
        customer_id: story.customer_id,
        name: format!("Customer {} ({}, {})", short(&row.unique_id), row.city, row.state),
        email: None,
    };
    single::<CustomerEvent>(story.customer_id.uuid(), story.placed_at, registered)
}

fn seller(line: &Line, at: Timestamp, tables: &Tables) -> ImportedStream {
    let place = tables
        .sellers
        .get(&line.seller)
        .map(|row| format!(" ({}, {})", row.city, row.state));
    let name = if line.seller.is_empty() {
        "Seller not recorded".to_owned()
    } else {
        format!("Seller {}", short(&line.seller))
    };
    let registered = SellerRegistered {
        seller_id: line.seller_id,
        name: name + &place.unwrap_or_default(),
    };
    single::<SellerEvent>(line.seller_id.uuid(), at, registered)
}

/// Listed by whoever sold it first, at the price of that sale: the source has no other. 406 products of the sample have
/// several sellers; an order's items name theirs.
fn product(line: &Line, at: Timestamp, tables: &Tables) -> ImportedStream {
    let row = tables.products.get(&line.source_id);
    let mut attributes = Attributes::new();
    if let Some(row) = row {
        let sizes = [
            ("Weight (g)", row.weight),
            ("Length (cm)", row.length),
            ("Height (cm)", row.height),
            ("Width (cm)", row.width),
        ];
        for (name, size) in sizes {
            if let Some(size) = size {
                attributes.insert(name.to_owned(), AttributeValue::Number(size.into()));
            }
        }
    }
    let portuguese = row.map_or(String::new(), |row| row.category.replace('_', " "));
    let listed = ProductListed {
        product_id: line.product_id,
        seller_id: line.seller_id,
        title: line.title.clone(),
        description: portuguese,
        brand: String::new(),
        category: category(&line.source_id, tables),
        attributes,
        price: Money::new(line.price, event_schemas::Currency::BRL),
        ean: None,
    };
    single::<ProductEvent>(line.product_id.uuid(), at, listed)
}

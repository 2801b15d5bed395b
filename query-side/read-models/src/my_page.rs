//! My page: a customer and their orders, newest first.

use event_schemas::{AccountId, CustomerId, OrderId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    documents::{Collection, IndexKeys, Model, ModelKey, StoreError},
    order_view::OrderView,
    paging::{Page, id_bytes, newest_first},
};

/// Who the page is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerView {
    /// The customer.
    pub id: CustomerId,
    /// What they are called; empty while unknown.
    pub name: String,
}

/// The answer to `GET my-page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyPageView {
    /// Who the page is about.
    pub customer: CustomerView,
    /// Newest first.
    pub orders: Vec<OrderView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The read model `my_page`.
#[derive(Debug, Clone, Copy)]
pub enum MyPage {}

/// What the model keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MyPageDocument {
    /// An order.
    Order(Box<OrderView>),
    /// A customer.
    Customer(CustomerView),
}

/// What a document of the model is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MyPageKey {
    /// An order.
    Order(OrderId),
    /// A customer.
    Customer(AccountId),
}

impl ModelKey for MyPageKey {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Order(id) => [b"o".as_slice(), &id_bytes(*id)].concat(),
            Self::Customer(id) => [b"c".as_slice(), &id_bytes(*id)].concat(),
        }
    }
}

impl Model for MyPage {
    const NAME: &'static str = "my_page";
    type Key = MyPageKey;
    type Document = MyPageDocument;

    fn index(document: &MyPageDocument) -> IndexKeys {
        match document {
            MyPageDocument::Order(order) => {
                let owner = id_bytes(order.customer_id);
                vec![newest_first(&owner, order.placed_at, id_bytes(order.id))]
            }
            MyPageDocument::Customer(_) => vec![],
        }
    }
}

impl Collection<MyPage> {
    /// An order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderView>, StoreError> {
        Ok(match self.get(&MyPageKey::Order(id)).await? {
            Some(MyPageDocument::Order(order)) => Some(*order),
            _ => None,
        })
    }

    /// A customer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn customer(&self, id: CustomerId) -> Result<Option<CustomerView>, StoreError> {
        Ok(match self.get(&MyPageKey::Customer(id)).await? {
            Some(MyPageDocument::Customer(customer)) => Some(customer),
            _ => None,
        })
    }

    /// A customer's orders, newest first, going on from where the page before ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn orders_of(
        &self,
        customer: CustomerId,
        after: Option<&[u8]>,
        size: usize,
    ) -> Result<Page<OrderView>, StoreError> {
        let page = self.page(&id_bytes(customer), after, size).await?;
        let order = |document| match document {
            MyPageDocument::Order(order) => Some(*order),
            MyPageDocument::Customer(_) => None,
        };
        Ok(Page {
            items: page.items.into_iter().filter_map(order).collect(),
            next: page.next,
        })
    }
}

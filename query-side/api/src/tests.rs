//! The queries over real read models in a folder, filled as projections fill them.

mod described;
mod figures;
mod freshness;
mod operators;
mod orders;
mod products;

use std::sync::Mutex;

use bytes::Bytes;
use edge::{Principal, RequestContext, Role};
use event_schemas::{AccountId, Address, CustomerId, Money, OrderId, ProductId, SellerId, Timestamp};
use http_body_util::{BodyExt, Full};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use read_models::{
    documents::{Collection, Model},
    my_page::{CustomerView, MyPage, MyPageDocument, MyPageKey},
    order_payment::PaymentView,
    order_view::{OrderLine, OrderStatus, OrderView, StatusChange},
};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;
use warp::http::{HeaderMap, Request};

use super::*;

/// Remembers who looked at whose page, or refuses to.
#[derive(Default)]
struct Trail {
    viewed: Mutex<Vec<(AccountId, CustomerId)>>,
    broken: bool,
}

#[async_trait::async_trait]
impl AuditTrail for Trail {
    async fn customer_page_viewed(
        &self,
        viewer: AccountId,
        customer: CustomerId,
        _: &RequestContext,
    ) -> Result<(), Problem> {
        if self.broken {
            return Err(Problem::unavailable(5, "the log is full"));
        }
        self.viewed.lock().unwrap().push((viewer, customer));
        Ok(())
    }
}

/// A shop that can be asked.
struct Shop {
    _folder: TempDir,
    models: Arc<ReadModels>,
    tokens: Arc<Tokens>,
    trail: Arc<Trail>,
    routes: BoxedFilter<(Response,)>,
}

/// An answer: status, headers, body.
struct Answer(u16, HeaderMap, Value);

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.1.get(name).map(|value| value.to_str().unwrap())
    }

    /// The last part of the problem's type.
    fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        (self.0, self.2["type"].as_str().unwrap().rsplit('/').next().unwrap())
    }

    /// The ids in a list of the answer.
    fn ids(&self, list: &str) -> Vec<String> {
        assert_eq!(self.0, 200, "{}", self.2);
        self.2[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn shop() -> Shop {
    shop_with(Trail::default(), Duration::from_millis(50)).await
}

async fn shop_with(trail: Trail, patience: Duration) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let models = Arc::new(ReadModels::open(folder.path()).await.unwrap());
    let tokens = Arc::new(Tokens::open(&folder.path().join("key")).unwrap());
    let trail = Arc::new(trail);
    let routes = routes(Queries {
        models: Arc::clone(&models),
        tokens: Arc::clone(&tokens),
        audit: Arc::<Trail>::clone(&trail),
        patience,
    });
    Shop {
        _folder: folder,
        models,
        tokens,
        trail,
        routes: edge::recovered(routes),
    }
}

impl Shop {
    async fn ask(&self, path: &str, who: Option<&Principal>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().uri(format!("/api/v1/{path}"));
        if let Some(who) = who {
            let token = self
                .tokens
                .issue(who, Uuid::now_v7(), Timestamp::now(), Duration::from_secs(60));
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let service = TowerToHyperService::new(warp::service(self.routes.clone()));
        let response = service
            .call(request.body(Full::<Bytes>::default()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"));
        Answer(parts.status.as_u16(), parts.headers, value)
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(path, None, &[]).await
    }

    async fn get_as(&self, who: &Principal, path: &str) -> Answer {
        self.ask(path, Some(who), &[]).await
    }

    /// Follows the cursors of a list to its end.
    async fn walk(&self, who: &Principal, path: &str, list: &str) -> Vec<String> {
        let (mut ids, mut cursor) = (vec![], None);
        loop {
            let page = match &cursor {
                None => self.get_as(who, path).await,
                Some(cursor) => self.get_as(who, &format!("{path}&cursor={cursor}")).await,
            };
            ids.extend(page.ids(list));
            cursor = page.2["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return ids;
            }
            assert!(ids.len() < 1_000, "the list never ends");
        }
    }

    /// Shows an order on its customer's page.
    async fn show_order(&self, order: &OrderView) {
        fill(
            self.models.my_page(),
            [(
                MyPageKey::Order(order.id),
                MyPageDocument::Order(Box::new(order.clone())),
            )],
        )
        .await;
    }

    async fn show_customer(&self, id: CustomerId, name: &str) {
        let name = name.to_owned();
        let document = MyPageDocument::Customer(CustomerView { id, name, points: 7 }.into());
        fill::<MyPage>(self.models.my_page(), [(MyPageKey::Customer(id), document)]).await;
    }
}

/// Writes documents as a projection does.
async fn fill<M: Model>(collection: &Collection<M>, documents: impl IntoIterator<Item = (M::Key, M::Document)>) {
    let mut workspace = collection.workspace().await.unwrap();
    for (key, document) in documents {
        *workspace.document(key).await.unwrap() = Some(document);
        workspace.touch(key);
    }
    let position = workspace.committed().position + 1;
    workspace.commit(position, 0).await.unwrap();
}

fn someone(roles: &[Role]) -> Principal {
    Principal::new(AccountId::fresh(), roles.to_vec())
}

fn line(seller_id: SellerId, amount: i64) -> OrderLine {
    OrderLine {
        product_id: ProductId::fresh(),
        seller_id,
        title: "Cup".to_owned(),
        unit_price: Money::krw(amount),
        quantity: 1,
        line_total: Money::krw(amount),
    }
}

fn order_of(customer: &Principal, placed_at: i64) -> OrderView {
    let placed_at = Timestamp::from_millis(placed_at);
    OrderView {
        id: OrderId::fresh(),
        customer_id: customer.account_id,
        status: OrderStatus::Placed,
        reason: None,
        items: vec![line(SellerId::fresh(), 9_000)],
        total: Money::krw(9_000),
        placed_at,
        history: vec![StatusChange {
            status: OrderStatus::Placed,
            at: placed_at,
        }],
        cancellation: None,
        payment: PaymentView::pending("card".to_owned(), Money::krw(9_000)),
        parcels: vec![],
        returns: vec![],
        shipping_address: Address {
            recipient: "Kim Minji".to_owned(),
            phone: "010-1234-5678".to_owned(),
            postal_code: "04524".to_owned(),
            line1: "110 Sejong-daero".to_owned(),
            line2: None,
            city: "Seoul".to_owned(),
            country: "KR".to_owned(),
        },
        promised_by: None,
        delivered_at: None,
    }
}

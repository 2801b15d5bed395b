//! Looking at somebody's page leaves a trace.

use async_trait::async_trait;
use edge::{Problem, RequestContext};
use event_schemas::{AccountId, CustomerId};

/// Where it is written down who looked at whose data. The queries know no log: whoever wires the shop gives them this.
#[async_trait]
pub trait AuditTrail: Send + Sync + 'static {
    /// Writes down, durably, that `viewer` is about to see `customer`'s page.
    ///
    /// # Errors
    /// When it could not be written: then the page is not shown.
    async fn customer_page_viewed(
        &self,
        viewer: AccountId,
        customer: CustomerId,
        request: &RequestContext,
    ) -> Result<(), Problem>;
}

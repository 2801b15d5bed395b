//! Restate: a workflow of four steps whose results it keeps in its journal, each before the next begins.

use restate_sdk::prelude::*;
use tokio::net::TcpListener;

use crate::Result;

struct Workflow;

#[service]
impl Workflow {
    /// Four steps, each answering at once: what is measured is what it costs to make an answer last.
    #[handler]
    async fn run(&self, context: Context<'_>, order: String) -> std::result::Result<String, HandlerError> {
        for step in ["reserve_stock", "authorise_payment", "confirm_order", "book_shipment"] {
            let answer = format!("{step} {order}");
            let _: String = context.run(|| async move { Ok(answer) }).name(step).await?;
        }
        Ok(order)
    }
}

/// Serves the workflow to a Restate server, until killed; prints `listening on ADDRESS`.
pub(crate) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let endpoint = Endpoint::builder().bind(Workflow).build();
    HttpServer::new(endpoint).serve(listener).await;
    Ok(())
}

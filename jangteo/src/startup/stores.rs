//! Where the read models are: in the folder, on Elasticsearch, or some here and some there.

use std::{fs, path::Path, sync::Arc};

use event_log::Position;
use read_models::{
    ReadModels,
    catalogue::{SearchEngine, SearchIndex},
    documents::{DocumentStore, Documents, StoreError},
    elastic::{Credentials, ElasticCatalogue, ElasticDocuments, ElasticSettings, Node, Owner, Plain},
};
use uuid::Uuid;

use super::StartError;
use crate::{
    config::{ElasticUrl, ElasticsearchSettings, Store},
    folder::DataFolder,
};

/// In the folder's `elasticsearch`, which goes when the log is another: the lineage of what is there.
const LINEAGE: &str = "lineage";

/// The read models where the settings say they are. What is on Elasticsearch is of a log up to `head`, or built anew.
pub(super) async fn open(
    settings: &ElasticsearchSettings,
    folder: &DataFolder,
    head: Position,
) -> Result<ReadModels, StartError> {
    let failed = StartError::of::<String>("the read models");
    let Some(url) = settings.used() else {
        let opened = ReadModels::open(folder.path()).await;
        return opened.map_err(|error| failed(error.to_string()));
    };
    let node = connect(settings, url, folder).await.map_err(failed)?;
    let models = within(settings, folder, &node).await?;
    let Some(model) = models.beyond(head.0).await.map_err(StartError::of("the read models"))? else {
        return Ok(models);
    };
    // The log was set back, and its folder with it: a backup. The node was not.
    tracing::warn!(model, %head, "what is on Elasticsearch shows more than the log holds: all there is built anew");
    drop(models);
    let lineage = Uuid::now_v7();
    keep_lineage(folder, lineage).map_err(StartError::of("the read models"))?;
    node.claim(owner(folder, lineage))
        .await
        .map_err(StartError::of("the read models"))?;
    within(settings, folder, &node).await
}

async fn within(
    settings: &ElasticsearchSettings,
    folder: &DataFolder,
    node: &Arc<Node>,
) -> Result<ReadModels, StartError> {
    let failed = StartError::of("the read models");
    let documents: Result<Arc<dyn DocumentStore>, _> = match settings.documents() {
        Store::Embedded => Documents::open(&folder.place("read-models")).map(|opened| Arc::new(opened) as _),
        Store::Elasticsearch => Ok(Arc::new(ElasticDocuments::new(Arc::clone(node), Plain))),
    };
    let engine: Result<Arc<dyn SearchEngine>, StoreError> = match settings.search() {
        Store::Embedded => SearchIndex::open(&folder.place("search")).map(|opened| Arc::new(opened) as _),
        Store::Elasticsearch => match ElasticCatalogue::open(Arc::clone(node)).await {
            Ok(opened) => Ok(Arc::new(opened)),
            Err(error) => Err(error.into()),
        },
    };
    let opened = match (documents, engine) {
        (Ok(documents), Ok(engine)) => ReadModels::within(documents, engine).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    opened.map_err(failed)
}

/// The node, which is this shop's under its prefix from now on.
async fn connect(settings: &ElasticsearchSettings, url: &ElasticUrl, folder: &DataFolder) -> Result<Arc<Node>, String> {
    let credentials = match (&settings.user, &settings.password_file, &settings.api_key_file) {
        (Some(user), Some(file), _) => Credentials::Password {
            user: user.clone(),
            password: secret(file)?,
        },
        (_, _, Some(file)) => Credentials::ApiKey(secret(file)?),
        _ => Credentials::None,
    };
    let authority = settings
        .ca
        .as_deref()
        .map(|file| read(file).map(String::into_bytes))
        .transpose()?;
    let settings = ElasticSettings {
        credentials,
        authority,
        ..ElasticSettings::new(url.as_given(), &settings.prefix)
    };
    let node = Node::connect(&settings).await.map_err(|error| error.to_string())?;
    let lineage = match lineage(folder) {
        Some(lineage) => lineage,
        None => {
            let lineage = Uuid::now_v7();
            keep_lineage(folder, lineage).map_err(|error| error.to_string())?;
            lineage
        }
    };
    node.claim(owner(folder, lineage))
        .await
        .map_err(|error| error.to_string())?;
    tracing::info!(
        address = node.address(),
        version = node.version(),
        "read models are on Elasticsearch"
    );
    Ok(Arc::new(node))
}

/// The shop, told apart from others by what only it knows.
fn owner(folder: &DataFolder, lineage: Uuid) -> Owner {
    let token = folder.operator_token().unwrap_or_default();
    Owner {
        shop: Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes()),
        lineage,
    }
}

fn lineage(folder: &DataFolder) -> Option<Uuid> {
    let text = fs::read_to_string(folder.place("elasticsearch").join(LINEAGE)).ok()?;
    text.trim().parse().ok()
}

fn keep_lineage(folder: &DataFolder, lineage: Uuid) -> std::io::Result<()> {
    let place = folder.place("elasticsearch");
    fs::create_dir_all(&place)?;
    let beside = place.join("lineage.new");
    fs::write(&beside, lineage.to_string())?;
    fs::rename(beside, place.join(LINEAGE))
}

/// A secret in a file, without the line's end.
fn secret(file: &Path) -> Result<String, String> {
    Ok(read(file)?.trim_end_matches(['\r', '\n']).to_owned())
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

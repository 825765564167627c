use std::sync::Arc;

use serde_json::Value;

use super::envelope::keys_of;
use super::paging::{Next, Pager};
use super::transport::Transport;
use crate::model::{Account, CredentialFacts, World};
use crate::provider::{BoxFuture, Listing, Paging, ReadError, ReadRequest, ReadSide, Reading};

/// The read side, bound to one account.
pub(super) struct Reader {
    pub(super) transport: Arc<Transport>,
    pub(super) world: World,
    pub(super) account: Account,
    pub(super) credential: CredentialFacts,
}

impl ReadSide for Reader {
    fn world(&self) -> &World {
        &self.world
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn credential(&self) -> &CredentialFacts {
        &self.credential
    }

    fn get<'a>(&'a self, request: &'a ReadRequest) -> BoxFuture<'a, Result<Reading, ReadError>> {
        Box::pin(async move { Ok(self.transport.read(request).await?.reading) })
    }

    fn list<'a>(&'a self, request: &'a ReadRequest, paging: Paging) -> BoxFuture<'a, Result<Listing, ReadError>> {
        Box::pin(list(&self.transport, request, paging))
    }
}

/// Reads a list to its end. A page that is lost after others were read ends it with a shortfall that names the page, so
/// that what was seen is kept and never taken for the whole.
pub(super) async fn list(transport: &Transport, request: &ReadRequest, paging: Paging) -> Result<Listing, ReadError> {
    let mut pager = Pager::new(request, paging);
    let mut pages = Vec::new();
    let shortfall = loop {
        let page = pager.page();
        let read = transport.read(&pager.ask()).await.and_then(|mut exchange| {
            let items = items(exchange.reading.result.take(), &exchange.reading.source)?;
            Ok((items, exchange))
        });
        let (items, exchange) = match read {
            Ok(read) => read,
            Err(error) if pages.is_empty() => return Err(error),
            Err(error) => break Some(format!("page {page} was lost, and all after it: {error}")),
        };
        let next = pager.take(items, &exchange.info);
        pages.push(exchange.reading);
        match next {
            Next::More => {}
            Next::End => break None,
            Next::Short(why) => break Some(why),
        }
    };
    Ok(Listing { items: pager.into_items(), pages, shortfall })
}

/// The items of a page. `null` stands for none (observed); R2 names its list inside an object (documented: `buckets`).
fn items(result: Value, source: &str) -> Result<Vec<Value>, ReadError> {
    match result {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        Value::Object(map) if map.values().filter(|value| value.is_array()).count() == 1 => Ok(map
            .into_iter()
            .find_map(|(_, value)| if let Value::Array(items) = value { Some(items) } else { None })
            .unwrap_or_default()),
        other => Err(ReadError::Unreadable(format!("{} where {source} should hold a list", keys_of(&other)))),
    }
}

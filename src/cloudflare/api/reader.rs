use std::sync::Arc;

use serde_json::Value;

use super::envelope::{into_result, keys_of, read_json, says_no};
use super::paging::{After, Pager};
use super::transport::{Transport, is_part};
use crate::cloudflare::audit::secrets;
use crate::cloudflare::families;
use crate::model::{Account, CredentialFacts, CredentialKind, World};
use crate::provider::{
    BoxFuture, BudgetLeft, Lane, Layout, Next, Page, Pages, ReadError, ReadRequest, ReadSide, Reading, Sent,
};

/// What is said of an answer that says so itself.
const PART: &str = "the API says that its answer was cut short, so there may be more";

/// The read side, bound to one account.
pub(super) struct Reader {
    pub(super) transport: Arc<Transport>,
    pub(super) world: World,
    pub(super) account: Account,
    pub(super) credential: CredentialFacts,
}

impl Reader {
    /// Why this credential can never read it. A token that the account owns is refused below `/user` in the words that
    /// are said of a credential which was revoked (observed), and nobody should be frightened by them.
    fn never(&self, request: &ReadRequest) -> Option<ReadError> {
        let is_of_user = request.path == "/user" || request.path.starts_with("/user/");
        (is_of_user && self.credential.kind == CredentialKind::AccountToken).then(|| {
            ReadError::Impossible(
                "an account-owned token has no user, and never sees what belongs to one; look with a token of that user"
                    .to_owned(),
            )
        })
    }
}

/// A list that can never be read.
struct Never(ReadError);

impl Pages for Never {
    fn next(&mut self) -> BoxFuture<'_, Result<Next, ReadError>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
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
        Box::pin(async move {
            match self.never(request) {
                Some(error) => Err(error),
                None => match self.transport.read(request).await? {
                    part if part.is_part => Err(ReadError::Unreadable(PART.to_owned())),
                    whole => Ok(whole.reading),
                },
            }
        })
    }

    fn pages<'a>(&'a self, request: &'a ReadRequest, layout: Layout) -> Box<dyn Pages + 'a> {
        match self.never(request) {
            Some(error) => Box::new(Never(error)),
            None => Box::new(pages(&self.transport, request, layout)),
        }
    }

    fn fit_to_keep(&self, path: &str, body: &[u8]) -> Vec<u8> {
        if secrets::is_log(path) {
            return secrets::mask_page(body);
        }
        families::about(path).map_or_else(|| body.to_vec(), |(family, _)| family.masked(body))
    }

    fn kept_items(&self, body: &[u8], layout: Layout) -> Result<Vec<Value>, ReadError> {
        items(self.kept_result(body)?, layout.inside, "what was kept")
    }

    fn kept_result(&self, body: &[u8]) -> Result<Value, ReadError> {
        match read_json(body) {
            Ok(json) if says_no(&json) => Ok(Value::Null),
            Ok(json) => Ok(into_result(json)),
            Err(what) if body.trim_ascii_start().starts_with(b"{") => {
                Err(ReadError::Unreadable(format!("what was kept is {what}")))
            }
            // An answer that is a text by its documentation.
            Err(_) => Ok(Value::String(String::from_utf8_lossy(body).into_owned())),
        }
    }

    fn budget(&self, lane: Lane) -> Option<BudgetLeft> {
        self.transport.gate.left(lane)
    }

    fn sent(&self) -> Vec<Sent> {
        self.transport.meter.sent()
    }
}

/// A list, page by page.
pub(super) fn pages<'a>(transport: &'a Transport, request: &'a ReadRequest, layout: Layout) -> Walk<'a> {
    Walk { transport, inside: layout.inside, pager: Pager::new(request, layout), complaint: None, ended: None }
}

/// A walk through the pages of a list. A page that is lost after others were read ends it with a shortfall that names the
/// page, so that what was seen is kept and never taken for the whole.
pub(super) struct Walk<'a> {
    transport: &'a Transport,
    inside: &'static str,
    pager: Pager<'a>,
    /// What a page complained of though it said yes.
    complaint: Option<String>,
    ended: Option<Next>,
}

impl Pages for Walk<'_> {
    fn next(&mut self) -> BoxFuture<'_, Result<Next, ReadError>> {
        Box::pin(self.step())
    }
}

impl Walk<'_> {
    async fn step(&mut self) -> Result<Next, ReadError> {
        if let Some(ended) = &self.ended {
            return Ok(ended.clone());
        }
        let (page, is_first) = (self.pager.page(), self.pager.is_first());
        let read = self.transport.read(&self.pager.ask()).await.and_then(|mut exchange| {
            exchange.is_part |= exchange.reading.result.is_object() && is_part(&exchange.reading.result);
            let items = items(exchange.reading.result.take(), self.inside, &exchange.reading.source)?;
            Ok((items, exchange))
        });
        let (mut items, exchange) = match read {
            Ok(read) => read,
            Err(error) if is_first => return Err(error),
            Err(error) => {
                let short = Next::Short(self.pager.lost(&error));
                self.ended = Some(short.clone());
                return Ok(short);
            }
        };
        if !exchange.complaint.is_empty() {
            let said =
                || format!("the API says yes to page {page}, and names errors all the same: {}", exchange.complaint);
            self.complaint.get_or_insert_with(said);
        }
        self.ended = match self.pager.take(&mut items, &exchange.info) {
            After::More => None,
            After::End if exchange.is_part => Some(Next::Short(PART.to_owned())),
            After::End => Some(self.complaint.take().map_or(Next::End, Next::Short)),
            After::Short(why) => Some(Next::Short(why)),
        };
        Ok(Next::Page(Page { items, reading: exchange.reading }))
    }
}

/// The items of a page. `null` stands for none (observed). Some lists come inside an object under a documented name
/// (`buckets` of R2); a list under any other name is not known to be the one that was asked for.
fn items(result: Value, inside: &str, source: &str) -> Result<Vec<Value>, ReadError> {
    match result {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        Value::Object(mut map) if matches!(map.get(inside), Some(Value::Array(_) | Value::Null)) => {
            Ok(if let Some(Value::Array(items)) = map.shift_remove(inside) { items } else { Vec::new() })
        }
        other => Err(ReadError::Unreadable(format!("{} where {source} should hold a list", keys_of(&other)))),
    }
}

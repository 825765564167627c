use super::BoxFuture;

/// The one narrow door by which another secret than the credential's own is shown to the provider.
///
/// It asks whether a leaked value is still taken, and nothing else: it cannot be told what to ask, it does not write, and
/// the value never comes out of it.
///
/// ```compile_fail
/// use quell::{model::HttpCall, provider::Leaked};
/// // Nothing can be sent with a leaked value:
/// fn abuse(leaked: &dyn Leaked, call: HttpCall) { let _ = leaked.send(call); }
/// ```
/// ```
/// use quell::provider::Leaked;
/// // Its twin: it can be tried.
/// fn test(leaked: &dyn Leaked) { let _ = leaked.test(); }
/// ```
pub trait Leaked: Send + Sync {
    /// Id of the token that the value is of.
    fn token(&self) -> &str;

    /// Asks the provider once whether it still takes the value.
    fn test(&self) -> BoxFuture<'_, Tested>;
}

/// How the sources of evidence begin that tell of such a test.
pub const TESTED: &str = "verification with the leaked value";

/// What the provider says of a leaked value; in words, and without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    /// It takes it no more.
    Refused(String),
    /// It still takes it.
    Accepted(String),
    /// Nobody answered, or the answer leaves it open.
    Open(String),
}

impl Tested {
    /// The words.
    pub fn said(&self) -> &str {
        let (Self::Refused(said) | Self::Accepted(said) | Self::Open(said)) = self;
        said
    }
}

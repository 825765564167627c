use serde_json::Value;

use super::canonical;
use super::item::{Item, Seat};
use crate::provider::{Absence, Layout, Paging, ReadRequest};

/// A kind of resource that can be listed, as data. Adding one is adding an entry to a wing's table.
///
/// Texts of a [`Family::path`] in braces are filled in: `{account}`, `{zone}`, `{parent}` for the id of the item of
/// another family that it belongs to, and `{part}` for [`Variant::part`].
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// What it is called in files, gaps and findings: `dns_records`.
    pub name: &'static str,
    /// What it is called for people: `DNS records`.
    pub title: &'static str,
    /// The kind of thing it belongs to, as reports name what was not examined: [`crate::action::Kind::name`].
    pub kind: &'static str,
    /// How far one list of it reaches.
    pub reach: Reach,
    /// Path of the list.
    pub path: &'static str,
    /// The requests that together show all of it: where a default filter hides something, one for each value.
    pub variants: &'static [Variant],
    /// What an answer holds.
    pub shape: Shape,
    /// Name of the list, where the answer is an object that holds it; empty where the answer is the list.
    pub inside: &'static str,
    /// JSON pointer, in the item that its lists belong to, to how many that says there are; empty where it does not say.
    pub counted: &'static str,
    /// Path of the answer that says more of one item, with `{id}` and the braces of [`Family::path`]; it is read for
    /// each item and stands in its place.
    pub detail: Option<&'static str>,
    /// Segments below an item under which parts of it are written, that are no family of their own: `rules`.
    pub parts: &'static [&'static str],
    /// Where writes make items that the log names nowhere, seen from the list: `.` for the list itself, `..` for what it
    /// belongs to, `../content` for something else of that. The time of an item tells which write made it.
    pub made_at: &'static [&'static str],
    /// Whether an item lives here and can be changed. The others of a list are the provider's own, or are inherited and
    /// shown by another family: they are left out, before their detail is read.
    pub is_own: fn(&Value) -> bool,
    /// JSON pointer to what tells the items of a list apart, also while it is paged: the provider's id of an item. Empty
    /// where an item has none, and its key tells it.
    pub id: &'static str,
    /// JSON pointers to what an item is called for people, in the canonical form; may be chosen by an attacker.
    pub label: &'static [&'static str],
    /// What makes two items the same though their ids differ: the first parts say which of them may be one that was
    /// changed. Empty: the id alone. Two items may still have one key.
    pub key: &'static [Part],
    /// How many of the first parts of the key say so.
    pub kin: usize,
    /// JSON pointer to the time at which an item was made; empty where it does not say.
    pub created: &'static str,
    /// JSON pointer to the time at which it was changed last; empty where it does not say.
    pub modified: &'static str,
    /// Fields that say nothing of what the item does: names, at any depth, or JSON pointers beginning with `/`.
    pub volatile: &'static [&'static str],
    /// Fields that hold a secret, or may: written as a mask. Names, at any depth, or JSON pointers.
    pub secret: &'static [&'static str],
    /// Masks what is only partly secret, such as an address with a credential in it, and leaves the form as it is.
    pub redact: fn(&mut Value),
    /// Fields of the canonical form that are kept for people and for repair, and are not compared: names or JSON
    /// pointers.
    pub aside: &'static [&'static str],
    /// Brings a redacted item into the one form in which two that mean the same are equal.
    pub canonical: fn(&mut Value),
    /// Fields of the canonical form that it makes up where an item lacks the field of the API that they come from: of a
    /// part of an item, they say nothing.
    pub made_up: &'static [(&'static str, &'static [&'static str])],
    /// A canonical form with some of its fields as the API gave them at another time: an item in the API's own spelling.
    /// `None` where the canonical form is put together field by field.
    pub overlaid: fn(&Value, &Value) -> Option<Value>,
    /// The permission group that lets it be read.
    pub permission: &'static str,
    /// Codes of a refusal that mean that there is none of it.
    pub none_codes: &'static [u32],
    /// True where an answer that it is not there (and not that the path is wrong) means that none was ever set up.
    pub missing_is_none: bool,
    /// Since when the path is retired, and what is read instead; a refusal is then expected, and a gap all the same.
    pub retired: Option<&'static str>,
}

/// How far one list of a family reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What the calling user owns.
    User,
    /// One account.
    Account,
    /// One zone.
    Zone,
    /// One item of another family, by its name.
    Of(&'static str),
}

/// One of the requests that together show a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// What stands for `{part}` in the path.
    pub part: &'static str,
    /// Query parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// Headers.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Variant {
    /// The list as it stands.
    pub const PLAIN: Self = Self { part: "", query: &[], headers: &[] };

    /// With a part of the path.
    pub const fn part(part: &'static str) -> Self {
        Self { part, ..Self::PLAIN }
    }

    /// With query parameters.
    pub const fn query(query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..Self::PLAIN }
    }

    /// With headers.
    pub const fn headers(headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..Self::PLAIN }
    }
}

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list of items.
    List(Paging),
    /// One object, which is the only item.
    One,
    /// A bare text, which is the only item.
    Text,
}

/// A part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The value at a JSON pointer of the canonical form.
    At(&'static str),
    /// The whole canonical form, by its digest: every difference makes it another one.
    All,
}

/// An entry to begin from: `Family { name: …, ..blank() }`.
pub const fn blank() -> Family {
    Family {
        name: "",
        title: "",
        kind: "",
        reach: Reach::Account,
        path: "",
        variants: &[Variant::PLAIN],
        shape: Shape::List(Paging::Single),
        inside: "",
        counted: "",
        detail: None,
        parts: &[],
        made_at: &[],
        is_own: any,
        id: "/id",
        label: &["/name"],
        key: &[],
        kin: 0,
        created: "",
        modified: "",
        volatile: &[],
        secret: &[],
        redact: as_is,
        aside: &[],
        canonical: as_is,
        made_up: &[],
        overlaid: field_by_field,
        permission: "",
        none_codes: &[],
        missing_is_none: false,
        retired: None,
    }
}

const fn any(_: &Value) -> bool {
    true
}

const fn as_is(_: &mut Value) {}

const fn field_by_field(_: &Value, _: &Value) -> Option<Value> {
    None
}

/// Whether a text names no part in braces any more.
pub fn none_of(path: &str) -> bool {
    !path.contains(['{', '}'])
}

impl Family {
    /// The request of `variant` at `seat`, for the account `account`. Parts taken from data are percent-encoded by
    /// `encode`.
    pub fn request(&self, variant: &Variant, seat: &Seat, account: &str, encode: fn(&str) -> String) -> ReadRequest {
        let path = fill(self.path, seat, account, None, encode).replace("{part}", variant.part);
        let absence = Absence { codes: self.none_codes, missing: self.missing_is_none };
        let mut request = ReadRequest::new(path).absent_if(absence);
        for (name, value) in variant.query {
            // A list of a zone that lives under no zone's path names it as a parameter.
            request = request.with(name, fill(value, seat, account, None, str::to_owned));
        }
        for (name, value) in variant.headers {
            request = request.header(name, *value);
        }
        request
    }

    /// Path of the list at `seat`, below which its items lie by their ids: what writes name.
    pub fn list_path(&self, seat: &Seat, account: &str, encode: fn(&str) -> String) -> String {
        let path = self.path.strip_suffix("/{part}").unwrap_or(self.path);
        fill(path, seat, account, None, encode)
    }

    /// How its lists are told in answers; `None` where an answer holds the only item.
    pub const fn layout(&self) -> Option<Layout> {
        match self.shape {
            Shape::List(paging) => Some(Layout { paging, inside: self.inside, id: self.id }),
            Shape::One | Shape::Text => None,
        }
    }

    /// The request that says more of the item with this id.
    pub fn detail_request(
        &self,
        id: &str,
        seat: &Seat,
        account: &str,
        encode: fn(&str) -> String,
    ) -> Option<ReadRequest> {
        self.detail.map(|path| ReadRequest::new(fill(path, seat, account, Some(id), encode)))
    }

    /// The items of one answer, or what it is instead. `null`, and an empty object where one is expected, stand for
    /// none; a list where one object is documented stands for its items (observed).
    ///
    /// # Errors
    /// The answer holds no list where there should be one; its keys are named.
    pub fn items(&self, result: Value) -> Result<Vec<Value>, String> {
        match result {
            Value::Array(items) => Ok(items),
            Value::Null => Ok(Vec::new()),
            Value::Object(map) if self.shape == Shape::One => {
                Ok(if map.is_empty() { Vec::new() } else { vec![Value::Object(map)] })
            }
            Value::String(text) if self.shape == Shape::Text => Ok(vec![text.into()]),
            Value::Object(mut map) => match map.get_mut(self.inside) {
                Some(Value::Array(items)) => Ok(std::mem::take(items)),
                Some(Value::Null) => Ok(Vec::new()),
                _ => {
                    let keys: Vec<&str> = map.keys().map(String::as_str).take(10).collect();
                    Err(format!("an object with {}", keys.join(", ")))
                }
            },
            other => Err(format!("a bare {}", kind_of(&other))),
        }
    }

    /// What tells `raw` apart from the other items of its list; empty where nothing does.
    pub fn id_of(&self, raw: &Value) -> String {
        match self.id {
            "" => String::new(),
            pointer => canonical::at(raw, pointer).map(canonical::plain).unwrap_or_default(),
        }
    }

    /// How many items a list has by the word of `above`, which it belongs to.
    pub fn counted_by(&self, above: &Value) -> Option<u64> {
        above.pointer(self.counted).filter(|_| !self.counted.is_empty()).and_then(Value::as_u64)
    }

    /// An item, or the body of a request that writes one, in its own form and without secrets: fit to be kept.
    pub fn redacted(&self, mut raw: Value) -> Value {
        canonical::redact(self, &mut raw);
        raw
    }

    /// The body of an answer as it came, but for what is secret in its items: fit to be kept. Only an answer that holds
    /// something secret comes back in another spelling.
    pub fn masked(&self, body: &[u8]) -> Vec<u8> {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            let text = Value::String(String::from_utf8_lossy(body).into_owned());
            let masked = self.redacted(text.clone());
            return if masked == text { body.to_vec() } else { canonical::plain(&masked).into_bytes() };
        };
        let mut masked = answer.clone();
        // Some answers are documented to come without an envelope.
        let result = if masked.get("result").is_some() { &mut masked["result"] } else { &mut masked };
        match result {
            Value::Array(items) => items.iter_mut().for_each(|item| canonical::redact(self, item)),
            // A list may come inside an object, under another name than the documented one as well.
            item => {
                let lists = item.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut);
                let lists = lists.filter_map(Value::as_array_mut);
                lists.flatten().for_each(|item| canonical::redact(self, item));
                canonical::redact(self, item);
            }
        }
        if masked == answer { body.to_vec() } else { masked.to_string().into_bytes() }
    }

    /// An item in its canonical form: without what is volatile or secret, and with its key.
    pub fn item(&self, seat: &Seat, raw: Value) -> Item {
        canonical::item(self, seat, raw)
    }

    /// What of an item is compared.
    pub fn compared(&self, item: &Item) -> Value {
        let mut value = item.value.clone();
        self.aside.iter().for_each(|field| canonical::forget(&mut value, field));
        value
    }

    /// What an item is called for people; its key, or its id, where it has no name. May be chosen by an attacker.
    pub fn label(&self, item: &Item) -> String {
        let said = |words: Vec<String>| words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let label = said(self.label.iter().filter_map(|at| item.value.pointer(at)).map(canonical::plain).collect());
        // The key of a whole value is no name.
        let key = if self.key.contains(&Part::All) { String::new() } else { said(item.key.clone()) };
        // What is one of its seat is called by that.
        [label, key, item.id.clone(), item.seat.name.clone()]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default()
    }

    /// Whether two items of one seat may be one that was changed.
    pub fn are_kin(&self, one: &Item, other: &Item) -> bool {
        let kin = self.kin.min(one.key.len()).min(other.key.len());
        kin > 0 && one.key[..kin] == other.key[..kin]
    }
}

fn fill(template: &str, seat: &Seat, account: &str, id: Option<&str>, encode: fn(&str) -> String) -> String {
    let mut filled = template.replace("{account}", &encode(account));
    filled = filled.replace("{zone}", &encode(seat.zone_id.as_deref().unwrap_or_default()));
    filled = filled.replace("{parent}", &encode(seat.parent.as_deref().unwrap_or_default()));
    filled.replace("{id}", &encode(id.unwrap_or_default()))
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "truth value",
        Value::Number(_) => "number",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Family, Part, Reach, Shape, Variant, blank, none_of};
    use crate::hunt::Seat;

    const RECORDS: Family = Family {
        name: "records",
        reach: Reach::Zone,
        path: "/zones/{zone}/records",
        variants: &[Variant::query(&[("zone_id", "{zone}")])],
        detail: Some("/zones/{zone}/records/{id}"),
        key: &[Part::At("/name"), Part::At("/content")],
        kin: 1,
        volatile: &["modified_on", "/meta/seen"],
        secret: &["password"],
        ..blank()
    };

    fn seat() -> Seat {
        Seat::zone("z/1", "one.example")
    }

    #[test]
    fn braces_are_filled_in_and_what_comes_from_data_is_encoded() {
        let encode = |text: &str| text.replace('/', "%2F");
        let request = RECORDS.request(&RECORDS.variants[0], &seat(), "a", encode);
        assert_eq!(request.path, "/zones/z%2F1/records");
        assert_eq!(request.query, [("zone_id".to_owned(), "z/1".to_owned())]);
        let detail = RECORDS.detail_request("r/2", &seat(), "a", encode).map(|request| request.path);
        assert_eq!(detail.as_deref(), Some("/zones/z%2F1/records/r%2F2"));
        assert!(none_of(&request.path) && !none_of(RECORDS.path));
    }

    #[test]
    fn the_canonical_form_forgets_and_masks() {
        let raw = json!({
            "id": 7, "name": "www", "content": "192.0.2.1", "modified_on": "now", "meta": { "seen": 1, "kept": 2 },
            "origins": [{ "password": "hunter2", "modified_on": "now" }, { "password": "" }],
        });
        let item = RECORDS.item(&seat(), raw);
        assert_eq!((item.id.as_str(), item.key.as_slice()), ("7", &["www".to_owned(), "192.0.2.1".to_owned()][..]));
        let canonical = json!({
            "name": "www", "content": "192.0.2.1", "meta": { "kept": 2 },
            "origins": [{ "password": "«secret»" }, { "password": "" }],
        });
        assert_eq!(item.value, canonical);
    }

    #[test]
    fn an_answer_is_kept_as_it_came_but_for_its_secrets() {
        let kept = |body: &str| String::from_utf8(RECORDS.masked(body.as_bytes())).unwrap();
        let plain = "{ \"success\": true,  \"result\": [{ \"name\": \"www\" }] }";
        assert_eq!(kept(plain), plain);
        assert_eq!(
            kept("{ \"result\": [{ \"password\": \"hunter2\" }], \"success\": true }"),
            "{\"result\":[{\"password\":\"«secret»\"}],\"success\":true}"
        );
        assert_eq!(kept("{ \"result\": { \"password\": \"hunter2\" } }"), "{\"result\":{\"password\":\"«secret»\"}}");
        let inside = Family { inside: "rows", ..RECORDS };
        let body = inside.masked(b"{ \"result\": { \"rows\": [{ \"password\": \"hunter2\" }] } }");
        assert!(!String::from_utf8(body).unwrap().contains("hunter2"));
        assert_eq!(kept("not JSON"), "not JSON");
    }

    #[test]
    fn times_and_what_is_kept_aside_are_not_compared() {
        let family = Family { created: "/made", modified: "/marks/changed", aside: &["note"], ..RECORDS };
        let raw = json!({
            "id": "7", "name": "www", "content": "a", "note": "ours", "made": "2026-01-02T03:04:05Z",
            "marks": { "changed": "2026-02-03T04:05:06.789Z" },
        });
        let item = family.item(&seat(), raw);
        assert_eq!(item.created.map(|at| at.to_string()).as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(item.modified.map(|at| at.to_string()).as_deref(), Some("2026-02-03T04:05:06.789Z"));
        assert_eq!(item.value, json!({ "name": "www", "content": "a", "note": "ours", "marks": {} }));
        assert_eq!(family.compared(&item), json!({ "name": "www", "content": "a", "marks": {} }));
        assert_eq!(family.item(&seat(), json!({ "name": "www", "made": "yesterday" })).created, None);
    }

    #[test]
    fn an_item_is_called_by_its_label_its_key_or_its_id() {
        let named = RECORDS.item(&seat(), json!({ "id": "7", "name": "www", "content": "a" }));
        assert_eq!(RECORDS.label(&named), "www");
        let nameless = Family { label: &[], ..RECORDS };
        assert_eq!(nameless.label(&named), "www a");
        let bare = Family { label: &[], key: &[Part::All], ..RECORDS };
        assert_eq!(bare.label(&bare.item(&seat(), json!({ "id": "7" }))), "7");
    }

    #[test]
    fn an_answer_is_read_by_its_shape_and_never_taken_for_empty() {
        let items = |family: &Family, answer| family.items(answer);
        let listed = Family { inside: "schedules", ..RECORDS };
        assert_eq!(items(&RECORDS, json!([1, 2])).map(|items| items.len()), Ok(2));
        assert_eq!(items(&RECORDS, json!(null)).map(|items| items.len()), Ok(0));
        assert_eq!(items(&listed, json!({ "schedules": [1] })).map(|items| items.len()), Ok(1));
        assert_eq!(items(&listed, json!({ "schedules": null })).map(|items| items.len()), Ok(0));
        assert_eq!(items(&listed, json!({ "crons": [] })), Err("an object with crons".to_owned()));
        assert_eq!(items(&RECORDS, json!({})), Err("an object with ".to_owned()));
        assert_eq!(items(&RECORDS, json!("html")), Err("a bare text".to_owned()));
        let one = Family { shape: Shape::One, ..RECORDS };
        assert_eq!(items(&one, json!({ "a": 1 })).map(|items| items.len()), Ok(1));
        assert_eq!(items(&one, json!({})).map(|items| items.len()), Ok(0));
        assert_eq!(items(&one, json!([{ "a": 1 }, { "a": 2 }])).map(|items| items.len()), Ok(2));
        assert_eq!(items(&Family { shape: Shape::Text, ..one }, json!("on")).map(|items| items.len()), Ok(1));
    }

    #[test]
    fn a_variant_may_be_a_part_of_the_path() {
        let family = Family { path: "/zones/{zone}/settings/{part}", ..RECORDS };
        let request = family.request(&Variant::part("ssl"), &Seat::zone("z", "z.example"), "a", str::to_owned);
        assert_eq!(request.path, "/zones/z/settings/ssl");
    }

    #[test]
    fn kin_share_the_first_parts_of_their_keys() {
        let item = |name: &str, content: &str| RECORDS.item(&seat(), json!({ "name": name, "content": content }));
        assert!(RECORDS.are_kin(&item("www", "a"), &item("www", "b")));
        assert!(!RECORDS.are_kin(&item("www", "a"), &item("api", "a")));
        assert!(!blank().are_kin(&item("www", "a"), &item("www", "a")));
    }
}

use serde_json::Value;

use super::Record;

/// The records of one zone, as they were when all was well.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Every record that could be read.
    pub records: Vec<Record>,
    /// Why it may not be the whole zone.
    pub shortfall: Option<String>,
}

/// Why a file is no baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// It is neither an array of records nor an answer of the API that holds one.
    #[error("it is neither an array of records nor the API's answer to a list of records")]
    NotRecords,
}

impl Baseline {
    /// Reads a file: a bare array of records, or the API's own answer as `curl` wrote it.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(bytes: &[u8]) -> Result<Self, BaselineError> {
        let file: Value = serde_json::from_slice(bytes).map_err(|error| BaselineError::NotJson(error.to_string()))?;
        let items = match &file {
            Value::Array(items) => items,
            // An answer that failed holds no list, so it is refused and not read as an empty zone.
            answer => answer.get("result").and_then(Value::as_array).ok_or(BaselineError::NotRecords)?,
        };
        let records: Vec<Record> = items.iter().filter_map(Record::read).collect();
        let total = file.pointer("/result_info/total_count").and_then(Value::as_u64);
        let unreadable = items.len() - records.len();
        let shortfall = if unreadable > 0 {
            Some(format!("{unreadable} of the {} records of the baseline cannot be read", items.len()))
        } else {
            total.filter(|total| usize::try_from(*total).is_ok_and(|total| total > items.len())).map(|total| {
                format!("the baseline holds {} of {total} records: it is one page of several", items.len())
            })
        };
        Ok(Self { records, shortfall })
    }
}

#[cfg(test)]
mod tests {
    use super::{Baseline, BaselineError};

    #[test]
    fn an_array_and_an_answer_are_read_and_a_failed_answer_is_not() {
        let array = br#"[{"id":"1","type":"A","name":"a.example","content":"192.0.2.1"}]"#;
        let answer = br#"{"success":true,"result":[{"id":"1","type":"A","name":"a.example","content":"192.0.2.1"}],"result_info":{"total_count":3}}"#;
        let array = Baseline::read(array).map(|read| (read.records.len(), read.shortfall));
        assert_eq!(array, Ok((1, None)));
        let answer = Baseline::read(answer).map(|read| (read.records.len(), read.shortfall.is_some()));
        assert_eq!(answer, Ok((1, true)));
        let failed = Baseline::read(br#"{"success":false,"result":null,"errors":[]}"#);
        assert_eq!(failed, Err(BaselineError::NotRecords));
        assert!(matches!(Baseline::read(b";; zone"), Err(BaselineError::NotJson(_))));
    }
}

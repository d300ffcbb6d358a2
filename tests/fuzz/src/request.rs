//! Requests as the fuzzer writes them: a head of lines, an empty line, and the body.

/// Headers that belong to the connection: the client sets them itself.
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// The head's lines, and the body; without an empty line there is no body.
pub fn head_and_body(bytes: &[u8]) -> Option<(Vec<&str>, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &[][..]),
    };
    Some((std::str::from_utf8(head).ok()?.split('\n').collect(), body))
}

/// An HTTP request that can go over the wire.
#[derive(Debug)]
pub struct Wire<'a> {
    /// The method.
    pub method: http::Method,
    /// Path and query.
    pub path: &'a str,
    /// Names, in lower case, and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Wire<'a> {
    /// Reads `METHOD PATH`, lines `name: value`, an empty line and the body; `None` for what no client could send.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (lines, body) = head_and_body(bytes)?;
        let (method, path) = lines.first()?.split_once(' ')?;
        let method = match method {
            "GET" => http::Method::GET,
            "PUT" => http::Method::PUT,
            "DELETE" => http::Method::DELETE,
            _ => http::Method::POST,
        };
        let uri: http::Uri = format!("http://127.0.0.1:1{path}").parse().ok()?;
        if !path.starts_with('/') || uri.port_u16() != Some(1) {
            return None;
        }
        let headers = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let headers = headers.filter(|(name, value)| {
            let lower = name.bytes().all(|b| !b.is_ascii_uppercase());
            let known = http::HeaderName::try_from(*name).is_ok();
            let fits = http::HeaderValue::try_from(*value).is_ok();
            lower && known && fits && !OF_THE_CONNECTION.contains(name)
        });
        let headers: Vec<_> = headers.take(20).collect();
        Some(Self {
            method,
            path,
            headers,
            body,
        })
    }

    /// Whether there is a header of a name.
    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }
}

//! Who leads: asked of any node with a plain `GET /gossip`.

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::address::{Login, Node};

/// More than the gossip of any cluster.
const MAX_ANSWER: u64 = 1024 * 1024;

/// What the nodes of a cluster say of each other.
#[derive(Debug, Deserialize)]
pub(crate) struct Gossip {
    members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    state: String,
    is_alive: bool,
    #[serde(rename = "httpEndPointIp")]
    host: String,
    #[serde(rename = "httpEndPointPort")]
    port: u16,
}

impl Member {
    fn node(&self) -> Node {
        Node {
            host: self.host.clone(),
            port: self.port,
        }
    }
}

impl Gossip {
    /// The one that takes appends, if the cluster has agreed on one.
    pub(crate) fn leader(&self) -> Option<Node> {
        let leads = |member: &&Member| member.is_alive && member.state.eq_ignore_ascii_case("leader");
        self.members.iter().find(leads).map(Member::node)
    }

    /// All that are alive: who is asked next time.
    pub(crate) fn alive(&self) -> impl Iterator<Item = Node> {
        self.members.iter().filter(|member| member.is_alive).map(Member::node)
    }
}

/// Asks over a fresh connection. The error says what was wrong with the answer.
pub(crate) async fn ask<Wire>(mut wire: Wire, node: &Node, login: Option<&Login>) -> Result<Gossip, String>
where
    Wire: AsyncRead + AsyncWrite + Unpin,
{
    let authorization = login.map_or_else(String::new, |login| format!("Authorization: {}\r\n", login.basic()));
    let request = format!(
        "GET /gossip HTTP/1.1\r\nHost: {node}\r\nAccept: application/json\r\n{authorization}Connection: close\r\n\r\n"
    );
    let io = |error: std::io::Error| error.to_string();
    wire.write_all(request.as_bytes()).await.map_err(io)?;
    wire.flush().await.map_err(io)?;
    let mut answer = vec![];
    match wire.take(MAX_ANSWER).read_to_end(&mut answer).await {
        Ok(_) => {}
        // TLS connections are often cut without a goodbye; what matters is whether the answer is whole.
        Err(_) if !answer.is_empty() => {}
        Err(error) => return Err(io(error)),
    }
    parse(&answer)
}

fn parse(answer: &[u8]) -> Result<Gossip, String> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or("its answer is no HTTP")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let body = &answer[end + 4..];
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    if status != "200" {
        return Err(format!("it answers with status {status}"));
    }
    let chunked = lines.any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked"));
    let body = if chunked {
        unchunked(body).ok_or("its answer is cut short")?
    } else {
        body.to_vec()
    };
    serde_json::from_slice(&body).map_err(|error| format!("its gossip cannot be read: {error}"))
}

fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = vec![];
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let length = std::str::from_utf8(&body[..end]).ok()?.split(';').next()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        let chunk = body.get(end + 2..)?;
        whole.extend_from_slice(chunk.get(..length)?);
        body = chunk.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"members":[
        {"instanceId":"x","state":"Follower","isAlive":true,"httpEndPointIp":"10.0.0.1","httpEndPointPort":2113},
        {"instanceId":"y","state":"Leader","isAlive":false,"httpEndPointIp":"10.0.0.2","httpEndPointPort":2113},
        {"instanceId":"z","state":"Leader","isAlive":true,"httpEndPointIp":"10.0.0.3","httpEndPointPort":2114}]}"#;

    #[test]
    fn the_living_leader_is_found() {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{JSON}");
        let gossip = parse(answer.as_bytes()).unwrap();
        assert_eq!(gossip.leader().unwrap().to_string(), "10.0.0.3:2114");
        assert_eq!(gossip.alive().count(), 2);
    }

    #[test]
    fn in_chunks_too() {
        let (one, two) = JSON.split_at(50);
        let chunks = format!("{:x}\r\n{one}\r\n{:X};x=y\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
        let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n{chunks}");
        assert!(parse(answer.as_bytes()).unwrap().leader().is_some());
        assert!(parse(&answer.as_bytes()[..answer.len() - 40]).is_err());
    }

    #[test]
    fn other_answers_are_named() {
        for (answer, said) in [
            ("HTTP/1.1 401 Unauthorized\r\n\r\n", "401"),
            ("HTTP/1.1 200 OK\r\n\r\n[]", "cannot be read"),
            ("SSH-2.0", "no HTTP"),
        ] {
            let error = parse(answer.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}

//! Which nodes there are: this one, the leader.

use std::net::SocketAddr;

use async_trait::async_trait;
use event_schemas::Timestamp;
use http::uri::Authority;
use serde_json::{Value, json};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    features::VERSION,
    messages::{Ids, TICKS_PER_MILLI},
    wire::{
        client::Empty,
        gossip::{ClusterInfo, EndPoint, MemberInfo, gossip_server::Gossip, member_info::VNodeState},
    },
};

/// This node.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    id: Uuid,
    address: SocketAddr,
}

impl Node {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            id: Uuid::now_v7(),
            address,
        }
    }

    /// Where a client finds this node: there where it found it now. Behind a relay or a port that is mapped, the endpoint's own
    /// address would lead nowhere.
    fn found_at(self, asked: Option<&Authority>) -> (String, u16) {
        match asked {
            Some(authority) => {
                let host = authority.host().trim_start_matches('[').trim_end_matches(']');
                (host.to_owned(), authority.port_u16().unwrap_or(self.address.port()))
            }
            None => (self.address.ip().to_string(), self.address.port()),
        }
    }

    /// What HTTP clients read at `/gossip`.
    pub(crate) fn gossip(self, asked: Option<&Authority>, head: u64) -> Value {
        let (host, port) = self.found_at(asked);
        json!({
            "members": [{
                "instanceId": self.id,
                "timeStamp": Timestamp::now(),
                "state": "Leader",
                "isAlive": true,
                "internalTcpIp": host,
                "internalTcpPort": 0,
                "internalSecureTcpPort": 0,
                "externalTcpIp": host,
                "externalTcpPort": 0,
                "externalSecureTcpPort": 0,
                "internalHttpEndPointIp": host,
                "internalHttpEndPointPort": port,
                "httpEndPointIp": host,
                "httpEndPointPort": port,
                "lastCommitPosition": head,
                "writerCheckpoint": head,
                "chaserCheckpoint": head,
                "epochPosition": 0,
                "epochNumber": 0,
                "epochId": self.id,
                "nodePriority": 0,
                "isReadOnlyReplica": false,
            }],
            "serverIp": host,
            "serverPort": port,
        })
    }

    /// What HTTP clients read at `/info`.
    pub(crate) fn introduction(secure: bool) -> Value {
        json!({
            "esVersion": VERSION,
            "dbVersion": VERSION,
            "state": "leader",
            "features": { "projections": false, "userManagement": false, "atomPub": false },
            "authentication": { "type": if secure { "basic" } else { "insecure" } },
        })
    }
}

/// By what name the client asked for this node; kept with each request.
#[derive(Clone)]
pub(crate) struct Asked(pub(crate) Authority);

#[async_trait]
impl Gossip for Node {
    async fn read(&self, request: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let asked = request.extensions().get::<Asked>();
        let (address, port) = self.found_at(asked.map(|Asked(authority)| authority));
        let member = MemberInfo {
            instance_id: Some(Ids::Text.write(self.id)),
            time_stamp: Timestamp::now().as_millis().saturating_mul(TICKS_PER_MILLI),
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint {
                address,
                port: port.into(),
            }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}

//! The least of a mail server: takes what is sent, and can be stopped, restarted and told to refuse somebody.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

#[derive(Default)]
struct Desk {
    refused: Mutex<String>,
    received: Mutex<Vec<String>>,
}

pub(super) struct MailServer {
    address: SocketAddr,
    desk: Arc<Desk>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl MailServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk::default());
        let running = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Self {
            address,
            desk,
            running: Mutex::new(Some(running)),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(&self) {
        let running = self.running.lock().unwrap().take().unwrap();
        running.abort();
        let _ = running.await;
    }

    pub(super) async fn restart(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self.running.lock().unwrap() = Some(tokio::spawn(serve(listener, Arc::clone(&self.desk))));
    }

    pub(super) fn refuse(&self, address: &str) {
        *self.desk.refused.lock().unwrap() = address.to_owned();
    }

    pub(super) fn received(&self) -> Vec<String> {
        self.desk.received.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.lock().unwrap().take() {
            running.abort();
        }
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut talks = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        talks.spawn(talk(stream, Arc::clone(&desk)));
    }
}

/// One conversation: RFC 5321, as far as a client asks.
async fn talk(stream: TcpStream, desk: Arc<Desk>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_uppercase();
        let refused = desk.refused.lock().unwrap().clone();
        let answer = match verb.as_str() {
            "RCPT" if !refused.is_empty() && line.contains(&refused) => "550 no such mailbox\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mail = text(&mut stream).await?;
                desk.received.lock().unwrap().push(mail);
                "250 taken\r\n"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// A mail, to the dot that ends it.
async fn text(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut mail = String::new();
    let mut line = String::new();
    while line != ".\r\n" {
        mail.push_str(&line);
        line.clear();
        stream.read_line(&mut line).await?;
    }
    Ok(mail)
}

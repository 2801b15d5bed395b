//! Files as they come: plain or compressed, with a bar that shows how far the reading is.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use super::{ImportError, delivery::Origin};

/// The longest line taken; the longest of the real files has 16 kB.
const LONGEST_LINE: u64 = 1 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file being read.
pub(crate) struct Source {
    path: PathBuf,
    name: Arc<str>,
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
}

/// A bar on stderr that counts bytes; silent where stderr is no terminal.
pub(crate) fn bytes_bar(total: u64) -> ProgressBar {
    bar(total, "{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
}

/// A bar on stderr that counts records; silent where stderr is no terminal.
pub(crate) fn records_bar(total: u64) -> ProgressBar {
    bar(total, "{msg} {wide_bar} {pos}/{len} {eta}")
}

fn bar(total: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}

fn unreadable(path: &Path, error: impl ToString) -> ImportError {
    ImportError::Unreadable {
        path: path.to_owned(),
        detail: error.to_string(),
    }
}

impl Source {
    /// Opens a file; whether it is compressed its first bytes say, not its name.
    pub(crate) fn open(path: &Path, bar: &ProgressBar) -> Result<Self, ImportError> {
        let reader = open_reader(path, bar).map_err(|error| unreadable(path, error))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok(Self {
            path: path.to_owned(),
            name: name.as_ref().into(),
            reader: BufReader::with_capacity(1 << 16, reader),
            line: 0,
        })
    }

    /// The next line without its end, or why it cannot be taken; `None` at the end of the file.
    pub(crate) fn next_line<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Option<Line<'b>>, ImportError> {
        buffer.clear();
        let taken = (&mut self.reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', buffer)
            .map_err(|e| unreadable(&self.path, e))?;
        if taken == 0 {
            return Ok(None);
        }
        self.line += 1;
        let complete = buffer.last() == Some(&b'\n');
        if !complete && taken as u64 == LONGEST_LINE {
            self.reader.skip_until(b'\n').map_err(|e| unreadable(&self.path, e))?;
            return Ok(Some(Err(format!("longer than {LONGEST_LINE} bytes"))));
        }
        if complete {
            buffer.pop();
        }
        Ok(Some(
            str::from_utf8(buffer).map_err(|error| format!("not UTF-8: {error}")),
        ))
    }

    /// Where the line read last stands.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            file: Arc::clone(&self.name),
            line: self.line,
        }
    }

    /// What is left, as CSV with a header.
    pub(crate) fn into_csv(self) -> (csv::Reader<impl Read>, Arc<str>) {
        (csv::ReaderBuilder::new().from_reader(self.reader), self.name)
    }
}

/// A line's text, or what is wrong with its bytes.
pub(crate) type Line<'b> = Result<&'b str, String>;

fn open_reader(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let mut magic = Vec::with_capacity(2);
    (&mut file).take(2).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    let counted = bar.wrap_read(file);
    if magic == GZIP_MAGIC {
        Ok(Box::new(MultiGzDecoder::new(BufReader::new(counted))))
    } else {
        Ok(Box::new(counted))
    }
}

/// The bytes of a file on disk.
pub(crate) fn size(path: &Path) -> Result<u64, ImportError> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if metadata.is_dir() {
        return Err(unreadable(path, "it is a folder, a file was expected"));
    }
    Ok(metadata.len())
}

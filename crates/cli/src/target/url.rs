//! The address of a server. That a named one is not AWS's is checked here; only [`super::aws`] makes one that is.

use std::fmt;

use http::Uri;

use crate::Error;

use super::Origin;

/// The domains AWS answers under, in all its partitions.
const AWS_DOMAINS: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "amazonwebservices.com.cn",
    "api.aws",
    "on.aws",
    "aws.dev",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// `http://HOST[:PORT]` or `https://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    scheme: Scheme,
    /// Host and port in lower case, the port left out if it is the scheme's own.
    authority: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The end of an authority that says nothing new.
    fn own_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

impl BaseUrl {
    pub(crate) fn parse(text: &str, origin: &Origin) -> Result<Self, Error> {
        let refuse = |rule| Error::Url { url: text.to_owned(), origin: origin.clone(), rule };
        let malformed = "is not a server's address, which looks like http://127.0.0.1:4280";
        let uri: Uri = text.trim().parse().map_err(|_| refuse(malformed))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse(malformed));
        };
        // Ahead of everything else: whatever else is wrong with the address, this is what its user must know.
        if is_aws(authority.host()) {
            return Err(refuse(
                "is AWS itself, which is only talked to with --aws (and then without an address); name another server, or unset it to \
                 use the local one",
            ));
        }
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(refuse("must begin with http:// or https://")),
        };
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(refuse(malformed));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(refuse(
                "must end after the port: a server answers at the root of its address",
            ));
        }
        let authority = authority.as_str().to_ascii_lowercase();
        let authority =
            authority.strip_suffix(scheme.own_port()).map(str::to_owned).unwrap_or(authority);
        Ok(Self { scheme, authority })
    }

    /// A host of AWS's, which `--aws` has asked for.
    pub(super) fn of_aws(host: String) -> Self {
        debug_assert!(is_aws(&host), "{host} is not AWS's");
        Self { scheme: Scheme::Https, authority: host }
    }

    /// Whether it is spoken to over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The URL of a path with its query, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.name())
            .authority(self.authority.as_str())
            .path_and_query(path)
            .build()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}", self.scheme.name(), self.authority)
    }
}

fn is_aws(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    AWS_DOMAINS.iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        BaseUrl::parse(text, &Origin::Flag)
            .map(|url| url.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_come_out_in_one_form() {
        let table = [
            ("http://127.0.0.1:4280", "http://127.0.0.1:4280"),
            ("http://127.0.0.1:4280/", "http://127.0.0.1:4280"),
            (" HTTP://LocalHost:80/", "http://localhost"),
            ("HTTPS://LocalHost:443/", "https://localhost"),
            ("https://localhost:80", "https://localhost:80"),
            ("http://[::1]:4280", "http://[::1]:4280"),
            ("http://notamazonaws.com", "http://notamazonaws.com"),
            ("http://amazonaws.com.example.org:1", "http://amazonaws.com.example.org:1"),
        ];
        for (text, wanted) in table {
            assert_eq!(parse(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn aws_is_refused_however_it_is_spelt() {
        for text in [
            "https://api.sagemaker.us-east-1.amazonaws.com",
            "http://runtime.sagemaker.eu-west-1.amazonaws.com./",
            "https://API.SageMaker.cn-north-1.AMAZONAWS.COM.CN:443/path",
            "https://sagemaker.us-east-1.api.aws",
            "https://user@amazonaws.com",
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains("is AWS itself"), "{text}: {message}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_the_rule() {
        let table = [
            ("127.0.0.1:4280", "looks like http://"),
            ("", "looks like http://"),
            ("http://", "looks like http://"),
            ("http://user:secret@localhost", "looks like http://"),
            ("https://user@localhost:1", "looks like http://"),
            ("ftp://localhost", "must begin with http:// or https://"),
            ("http://localhost:1/path", "must end after the port"),
            ("http://localhost:1/?query", "must end after the port"),
        ];
        for (text, rule) in table {
            let message = parse(text).unwrap_err();
            assert!(
                message.contains(rule) && message.contains("--endpoint-url"),
                "{text}: {message}"
            );
        }
    }
}

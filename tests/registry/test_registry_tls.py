"""TLS settings: private CAs, client certificates, and files that cannot be used."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.registry.client import RegistryClient
from dfopt.registry.errors import RegistryError, SettingsError
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.tls import TlsSettings
from registry.servers import Authority, FakeServer, digest, image, manifest

Clients = Callable[..., RegistryClient]
HOST = "registry.example:5000"


def test_hosts_share_a_context_unless_they_have_files(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / "ca.crt").write_bytes(authority.ca.read_bytes())
    settings = TlsSettings(certs_dirs=(str(tmp_path),))
    common = settings.context("a.example")
    assert settings.context("b.example") is common
    own = settings.context(HOST)
    assert own is not common
    assert own.cert_store_stats()["x509_ca"] == common.cert_store_stats()["x509_ca"] + 1
    for context in (common, own):
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("host", ["../x", "", ".", ".."])
def test_a_host_is_no_way_out_of_the_directory(tmp_path: Path, host: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "ca.crt").write_text("no certificate: reading it would be an error")
    (tmp_path / "certs.d" / "y").mkdir(parents=True)
    (tmp_path / "ca.crt").write_text("neither")
    (tmp_path / "certs.d" / "ca.crt").write_text("neither")
    TlsSettings(certs_dirs=(str(tmp_path / "certs.d"),)).context(host)


def no_file(_: Authority, folder: Path) -> TlsSettings:
    return TlsSettings(ca_file=str(folder / "none.pem"), certs_dirs=())


def no_certificate(_: Authority, folder: Path) -> TlsSettings:
    (folder / "ca.pem").write_text("hello")
    return TlsSettings(ca_file=str(folder / "ca.pem"), certs_dirs=())


def broken_ca_of_a_host(_: Authority, folder: Path) -> TlsSettings:
    (folder / HOST / "x.crt").write_text("hello")
    return TlsSettings(certs_dirs=(str(folder),))


def certificate_without_key(authority: Authority, folder: Path) -> TlsSettings:
    (folder / HOST / "client.cert").write_bytes(authority.certificate.read_bytes())
    return TlsSettings(certs_dirs=(str(folder),))


def certificate_with_another_key(authority: Authority, folder: Path) -> TlsSettings:
    (folder / HOST / "client.key").write_bytes((authority.ca.parent / "ca.key").read_bytes())
    return certificate_without_key(authority, folder)


def folder_of_a_host_is_a_crt_folder(_: Authority, folder: Path) -> TlsSettings:
    (folder / HOST / "ca.crt").mkdir()
    return TlsSettings(certs_dirs=(str(folder),))


@pytest.mark.parametrize(
    "make",
    [
        no_file,
        no_certificate,
        broken_ca_of_a_host,
        certificate_without_key,
        certificate_with_another_key,
        folder_of_a_host_is_a_crt_folder,
    ],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, authority: Authority, make: Callable[[Authority, Path], TlsSettings]
) -> None:
    (tmp_path / HOST).mkdir()
    settings = make(authority, tmp_path)
    with pytest.raises(SettingsError) as caught:
        settings.context(HOST)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_environment_that_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=f"{name} names"):
        TlsSettings(certs_dirs=()).context(HOST)


@pytest.mark.parametrize("with_certificate", [False, True])
def test_client_certificates(
    client: Clients,
    serve: Callable[..., FakeServer],
    authority: Authority,
    tmp_path: Path,
    with_certificate: bool,
) -> None:
    body = manifest()
    context = authority.server_context()
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server = serve(lambda _: image(body), context)
    folder = tmp_path / "certs.d" / server.host
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(authority.ca.read_bytes())
    if with_certificate:
        (folder / "client.cert").write_bytes(authority.certificate.read_bytes())
        (folder / "client.key").write_bytes(authority.key.read_bytes())
    made = client(ClientOptions(certs_dirs=(str(tmp_path / "certs.d"),)))
    found = next(iter(made.resolve_all([f"{server.host}/app:1"]).values()))
    if with_certificate:
        assert not isinstance(found, RegistryError), found
        assert found.value == digest(body)
    else:
        assert isinstance(found, RegistryError)
        assert not server.requests

use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter};
use age::{DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient};
use zeroize::Zeroizing;

pub(super) use age::armor::Format;

/// Encrypts `parts`, one after the other, to each of `recipients`.
pub(super) fn encrypt<R: Recipient>(
    recipients: &[&R],
    format: Format,
    parts: &[&[u8]],
) -> Result<Vec<u8>, EncryptError> {
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| *recipient as &dyn Recipient))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(ArmoredWriter::wrap_output(&mut sealed, format)?)?;
    for part in parts {
        writer.write_all(part)?;
    }
    writer.finish()?.finish()?;
    Ok(sealed)
}

/// Decrypts what was encrypted to any of `identities`, armored or not.
pub(super) fn decrypt(identities: &[&dyn Identity], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed))?;
    // Never grows beyond the sealed bytes; growing would leave a copy behind that is not wiped.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    decryptor.decrypt(identities.iter().copied())?.read_to_end(&mut plain)?;
    Ok(plain)
}

/// Whether a passphrase opens it, rather than an identity.
pub(super) fn takes_passphrase(sealed: &[u8]) -> Result<bool, DecryptError> {
    Ok(Decryptor::new_buffered(ArmoredReader::new(sealed))?.is_scrypt())
}

/// The runbooks in the binary: name and text.
pub const fn embedded() -> &'static [(&'static str, &'static str)] {
    &[("cloudflare-token-compromise", include_str!("../../runbooks/cloudflare-token-compromise.toml"))]
}

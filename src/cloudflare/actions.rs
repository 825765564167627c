//! The actions on a Cloudflare account, one file each.

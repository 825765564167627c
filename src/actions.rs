//! The actions that know no provider, one file each.

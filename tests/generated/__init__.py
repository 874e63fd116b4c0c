"""Projects made at random: a fix must neither change what they print nor cost a statement more."""

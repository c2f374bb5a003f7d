"""Hosts: the editors and peers that the bridge works with. One folder or file a host."""

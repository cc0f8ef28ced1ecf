"""A cloud a module, behind one contract. None yet: this machine and SSH hosts need no provider."""

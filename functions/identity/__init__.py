"""Sign-in: who somebody is, shown by a password, a link, a passkey, a provider or a device.

The ways to sign in know one another: one may ask for another as its second factor.
"""

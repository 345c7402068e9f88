"""The local Weir of `weir up`: its folder, its servers, its workers, and who looks after them."""

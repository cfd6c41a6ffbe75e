"""The ground: the words every room shares. Plain values, one state machine, the ports. No vendor."""

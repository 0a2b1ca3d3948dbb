"""What limits every change to the world: modes, windows, cooldowns, budgets and signers."""

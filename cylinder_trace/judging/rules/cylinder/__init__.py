"""Rules over one cylinder's step, one file a rule; used at the gun, in the sweep and in a replay alike."""

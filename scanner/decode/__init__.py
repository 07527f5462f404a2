"""From a picture to the texts of its codes: two engines, an ordered cascade of steps, and what to believe."""

"""Who asks, and what they may: sign-in, standing (roles and assignments), permissions."""

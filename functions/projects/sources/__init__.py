"""Third parties that send webhooks."""

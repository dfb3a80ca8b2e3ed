"""What a store holds, how much it may hold, and what is evicted when that is too little."""
